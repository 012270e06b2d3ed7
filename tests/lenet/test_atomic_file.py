"""app.lenet.atomic_file: the old file or the new one, whole."""

import errno
import os
from pathlib import Path

import pytest

from app.lenet.atomic_file import write_file


def test_replaces_what_is_there(tmp_path: Path) -> None:
    """The file holds the content, with or without one before it, and nothing lies beside it."""
    target = tmp_path / "file"
    for content in (b"one", b"another"):
        write_file(target, content)
        assert target.read_bytes() == content
    assert list(tmp_path.iterdir()) == [target]


def test_a_refused_write_leaves_the_old_and_gives_the_room_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where the disk is full the old file stays and what had been written of the new one is gone."""
    target = tmp_path / "file"
    write_file(target, b"old")

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        write_file(target, b"new")
    assert target.read_bytes() == b"old"
    assert list(tmp_path.iterdir()) == [target]
