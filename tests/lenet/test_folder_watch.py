"""app.lenet.folder_watch: whether a model folder has changed."""

import shutil
from pathlib import Path
from typing import Any

import pytest

from app.lenet.folder_watch import FolderWatch
from app.lenet.weights import write_model


@pytest.fixture
def model_dir(tmp_path: Path, files: dict[str, bytes], manifest_fields: dict[str, Any]) -> Path:
    write_model(tmp_path / "lenet5" / "1", files, manifest_fields)
    return tmp_path


@pytest.fixture
def watch(model_dir: Path) -> FolderWatch:
    """A watch that has told of what it found at first."""
    watch = FolderWatch(model_dir)
    assert [watch.changed() for _ in range(4)] == [False, True, False, False]
    return watch


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: shutil.copytree(folder / "1", folder / "2"),
        lambda folder: shutil.rmtree(folder / "1"),
        lambda folder: (folder / "1" / "model.onnx").write_bytes(b"graph and more"),
        lambda folder: (folder / "1" / "manifest.json").unlink(),
        shutil.rmtree,
    ],
    ids=["came", "went", "changed", "broke", "no models"],
)
def test_a_change_is_told_once(model_dir: Path, watch: FolderWatch, change: Any) -> None:
    """Whatever happens to a version's files is told at the second look after it, and not again."""
    change(model_dir / "lenet5")
    assert [watch.changed() for _ in range(4)] == [False, True, False, False]


def test_a_change_is_told_when_it_is_over(model_dir: Path, watch: FolderWatch) -> None:
    """As long as a version is being written nothing is told."""
    folder = model_dir / "lenet5" / "2"
    folder.mkdir()
    for size in range(1, 4):
        (folder / "model.onnx").write_bytes(b"x" * size)
        assert not watch.changed()
    assert watch.changed()


def test_what_is_no_model_is_no_change(model_dir: Path, watch: FolderWatch) -> None:
    """Cards, and folders that are no versions, may come and go."""
    (model_dir / "lenet5" / "1" / "MODEL_CARD.md").write_text("another card")
    (model_dir / "lenet5" / ".2.new-x").mkdir()
    (model_dir / "lenet5" / ".2.new-x" / "model.onnx").touch()
    assert not any(watch.changed() for _ in range(3))
