"""Promise 13: what is written is the old or the new, wherever it was cut short; and the disk that shows it."""

from pathlib import Path
from random import Random

import pytest

from benchmarks.reliability.durable.crash import snapshot, states
from benchmarks.reliability.durable.disk import Disk, watched
from benchmarks.reliability.durable.subjects import SUBJECTS, Subject, naively
from benchmarks.reliability.durable.trials import cut_short, filled_up, killed

by_name = pytest.mark.parametrize("subject", SUBJECTS, ids=lambda subject: subject.name)


@by_name
def test_old_or_new(subject: Subject) -> None:
    """Killed, on a full disk, or without power: the old or the new one is there, and what is left over is swept."""
    kills = [killed(subject, Random(case)) for case in range(3)]
    full, power = list(filled_up(subject)), list(cut_short(subject))
    assert {*kills, *full, *power} == {None}
    assert len(full) > 2
    assert len(power) > 5


@by_name
def test_the_control_is_found_out(subject: Subject) -> None:
    """Written where they belong, a full disk and a loss of power leave neither."""
    with naively():
        assert any(filled_up(subject))
        assert any(cut_short(subject))


def test_what_was_not_synced_may_be_lost_or_half_there(tmp_path: Path) -> None:
    """A file's content is sure once it was synced; its name once its folder was."""
    target, disk = tmp_path / "file", Disk(tmp_path)
    with watched(disk), target.open("wb") as file:
        file.write(b"content")
    assert [operation.kind for operation in disk.operations] == ["create", "write"]
    left = [state.get(str(target)) for _, state in states({}, disk.operations)]
    assert left == [None, b"", b"con", bytes(7), b"content"]  # None: there is no such file


def test_a_full_disk_refuses_from_one_operation_on(tmp_path: Path) -> None:
    """What needs room fails with the error of a full disk, half way through a file too."""
    with watched(Disk(tmp_path, full_at=1)), pytest.raises(OSError, match="No space left"):
        (tmp_path / "file").write_bytes(b"content")
    assert snapshot(tmp_path) == {str(tmp_path / "file"): b"con"}
