"""app.lenet.atomic_folder: after a crash at any point there is the old folder or the new one."""

import subprocess
import sys
from pathlib import Path

import pytest

from app.lenet import atomic_folder
from app.lenet.atomic_folder import write_folder

OLD = {"model.onnx": b"old graph", "manifest.json": b"old manifest", "only_old": b""}
NEW = {"model.onnx": b"new graph", "manifest.json": b"new manifest"}

# Writes NEW and ends the process, as a kill would, at its k-th file operation.
CRASH = """
import os, sys
from pathlib import Path
from app.lenet import atomic_folder

target, k, exchange = Path(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "exchange"
if not exchange:
    atomic_folder._exchange = lambda one, other: False
left = k

def hook(event, arguments):
    global left
    if event in ("open", "os.rename", "os.mkdir", "os.chmod", "os.remove", "os.rmdir", "ctypes.dlsym", "shutil.rmtree"):
        left -= 1
        if left < 0:
            os._exit(9)

new = {"model.onnx": b"new graph", "manifest.json": b"new manifest"}
sys.addaudithook(hook)
atomic_folder.write_folder(target, new)
os._exit(0)
"""


def content(folder: Path) -> dict[str, bytes] | None:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else None


@pytest.mark.parametrize("replaces", [False, True])
def test_holds_exactly_the_files(tmp_path: Path, replaces: bool) -> None:
    """The folder holds the given files and no others, with or without one before it, and nothing is left beside it."""
    target = tmp_path / "lenet5" / "1"
    if replaces:
        write_folder(target, OLD)
    write_folder(target, NEW)
    assert content(target) == NEW
    assert [path.name for path in target.parent.iterdir()] == ["1"]


def test_without_an_exchange(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where names can't be exchanged in one step a folder is replaced all the same."""
    target = tmp_path / "1"
    write_folder(target, OLD)
    monkeypatch.setattr(atomic_folder, "_exchange", lambda _one, _other: False)
    write_folder(target, NEW)
    assert content(target) == NEW
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


@pytest.mark.parametrize(("mode", "before"), [("exchange", None), ("exchange", OLD), ("aside", OLD)])
def test_a_crash_leaves_old_or_new(tmp_path: Path, mode: str, before: dict[str, bytes] | None) -> None:
    """Ended at any file operation, a write leaves the old or the new folder whole; the next one sweeps and succeeds.

    Where names can't be exchanged, one crash may leave no folder, but then the old and the new whole beside it.
    """
    outcomes = []
    for k in range(100):
        target = tmp_path / str(k) / "1"
        target.parent.mkdir()
        if before is not None:
            write_folder(target, before)
        done = subprocess.run([sys.executable, "-c", CRASH, str(target), str(k), mode], check=False)
        found = content(target)
        if mode == "aside" and found is None:
            beside = [content(path) for path in sorted(target.parent.iterdir())]
            assert beside == [NEW, OLD]  # .1.new-*, .1.old-*
        else:
            assert found in (before, NEW)
        outcomes.append(found)
        write_folder(target, NEW | {"again": b""})
        assert content(target) == NEW | {"again": b""}
        assert [path.name for path in target.parent.iterdir()] == ["1"]
        if done.returncode == 0:
            break
    assert len(outcomes) > 5
    assert outcomes[0] == before
    assert outcomes[-1] == NEW


def test_an_old_folder_that_a_crash_put_aside_comes_back(tmp_path: Path) -> None:
    """When a crash left no folder, the next write puts the old one back first, and so it is there if that fails."""
    target = tmp_path / "1"
    write_folder(target, OLD)
    target.rename(tmp_path / ".1.old-abc")
    with pytest.raises(FileNotFoundError):
        write_folder(target, {"no/such/folder": b""})
    assert content(target) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_a_failed_write_leaves_the_old(tmp_path: Path) -> None:
    """A write that fails half way leaves the old folder, and nothing beside it."""
    target = tmp_path / "1"
    write_folder(target, OLD)
    with pytest.raises(FileNotFoundError):
        write_folder(target, {"first": b"1", "no/such/folder": b""})
    assert content(target) == OLD
    assert [path.name for path in tmp_path.iterdir()] == ["1"]


def test_the_left_overs_of_other_folders_are_not_touched(tmp_path: Path) -> None:
    """Writing version 1 sweeps nothing of version 10."""
    (tmp_path / ".10.new-abc").mkdir()
    write_folder(tmp_path / "1", NEW)
    assert (tmp_path / ".10.new-abc").exists()
