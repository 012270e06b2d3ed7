"""app.lenet.registry: which model a request means."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.errors import DigestMismatch, ManifestInvalid, ModelError, ModelNotFound, UnknownModel
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import write_model

Fields = dict[str, Any]


@pytest.fixture
def model_dir(tmp_path: Path, files: dict[str, bytes], manifest_fields: Fields) -> Path:
    """lenet5 1, 2, 10; other 1, 2; reader 1, of the task "field"."""
    for name, version, task in (
        ("lenet5", 1, "digit"),
        ("lenet5", 2, "digit"),
        ("lenet5", 10, "digit"),
        ("other", 1, "digit"),
        ("other", 2, "digit"),
        ("reader", 1, "field"),
    ):
        write_model(tmp_path / name / str(version), files, manifest_fields | {"task": task})
    return tmp_path


def spoil(folder: Path) -> None:
    (folder / "model.onnx").write_bytes(b"spoilt")


@pytest.mark.parametrize(
    ("spec", "found"),
    [
        (None, "lenet5:10"),
        ("lenet5", "lenet5:10"),
        ("lenet5:2", "lenet5:2"),
        ("other", "other:2"),
        ("other:1", "other:1"),
    ],
)
def test_resolves(model_dir: Path, spec: str | None, found: str) -> None:
    """No name is the task's default, a name its highest version (10 above 2), name:version that one."""
    assert Registry.open(model_dir).resolve(spec, "digit").spec == found


@pytest.mark.parametrize(
    "spec", ["", ":", "lenet", "lenet5:", "lenet5:3", "lenet5:02", "lenet5:1:1", ":1", "../lenet5", "reader", "x" * 999]
)
def test_unknown_model(model_dir: Path, spec: str) -> None:
    """A name or version that is not there, or a model of the other task, is a 404 that says what there is."""
    with pytest.raises(UnknownModel, match="lenet5:10") as caught:
        Registry.open(model_dir).resolve(spec, "digit")
    assert len(caught.value.message) < 300


def test_tasks_are_apart(model_dir: Path) -> None:
    """Each task has its own default, and none where none was given."""
    registry = Registry.open(model_dir, {"digit": "other", "field": "reader"})
    assert registry.resolve(None, "field").spec == "reader:1"
    assert registry.resolve(None, "digit").spec == "other:2"
    assert [model.spec for model in registry.served if model.default] == ["other:2", "reader:1"]
    with pytest.raises(UnknownModel):
        registry.resolve("other", "field")
    with pytest.raises(UnknownModel):
        Registry.open(model_dir).resolve(None, "field")


def test_a_default_may_name_its_version(model_dir: Path) -> None:
    """With a default of lenet5:2, both no name and the bare name mean version 2; the others are still served."""
    registry = Registry.open(model_dir, {"digit": "lenet5:2"})
    assert registry.resolve(None, "digit").spec == registry.resolve("lenet5", "digit").spec == "lenet5:2"
    assert registry.resolve("lenet5:10", "digit").version == 10


def test_a_failing_default_stops(model_dir: Path) -> None:
    """When the default fails its check, its error is raised: no other version takes its place."""
    spoil(model_dir / "lenet5" / "10")
    with pytest.raises(DigestMismatch, match="lenet5"):
        Registry.open(model_dir)


def test_another_failing_version_is_left_out(model_dir: Path) -> None:
    """A version that fails and is no default is not served, and is kept with its error."""
    spoil(model_dir / "other" / "2")
    spoil(model_dir / "lenet5" / "10")
    registry = Registry.open(model_dir, {"digit": "lenet5:2"})
    assert registry.resolve("other", "digit").version == 1
    assert {left.path for left in registry.left_out} == {model_dir / "other" / "2", model_dir / "lenet5" / "10"}
    assert all(isinstance(left.error, DigestMismatch) for left in registry.left_out)
    with pytest.raises(UnknownModel):
        registry.resolve("lenet5:10", "digit")


def test_a_copied_folder_is_not_another_version(model_dir: Path) -> None:
    """A folder whose manifest is of another name or version than its place says is left out."""
    (model_dir / "other" / "1").rename(model_dir / "other" / "7")
    registry = Registry.open(model_dir)
    assert [left.path.name for left in registry.left_out] == ["7"]
    assert isinstance(registry.left_out[0].error, ManifestInvalid)


def test_a_default_of_the_other_task_stops(model_dir: Path) -> None:
    """A model that reads fields can't be the default for digits."""
    with pytest.raises(ManifestInvalid, match="task"):
        Registry.open(model_dir, {"digit": "reader"})


@pytest.mark.parametrize("name", ["latest", "01", "-1", "1.0", "\u0663", ".1.new-x", "1e3"])
def test_folders_that_are_no_versions_are_ignored(model_dir: Path, name: str) -> None:
    """Only whole numbers, written plainly, are versions; everything else in the folder is none of our business."""
    (model_dir / "lenet5" / name).mkdir()
    (model_dir / "README.md").write_text("hello")
    (model_dir / ".hidden" / "1").mkdir(parents=True)
    registry = Registry.open(model_dir)
    assert len(registry.served) == 6
    assert registry.left_out == ()


@pytest.mark.parametrize("default", ["nobody", "lenet5:3", "lenet5:01"])
def test_a_default_that_is_not_there(model_dir: Path, default: str) -> None:
    """A default that is not in the folder is a ModelNotFound that says what is."""
    with pytest.raises(ModelNotFound, match="other:1"):
        Registry.open(model_dir, {"digit": default})


def test_no_models_at_all(tmp_path: Path) -> None:
    """An empty model folder, or none, is a ModelNotFound with its path."""
    for folder in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(ModelNotFound, match=str(folder)):
            Registry.open(folder, {})


def test_a_version_with_a_broken_manifest_is_left_out(model_dir: Path) -> None:
    """A manifest that can't be read leaves only its own version out."""
    (model_dir / "other" / "1" / "manifest.json").write_text(json.dumps([]))
    assert [left.path for left in Registry.open(model_dir).left_out] == [model_dir / "other" / "1"]


def test_default_model_dir_is_the_packages_or_the_checkouts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The weights inside the installed package come first, then those beside it, and else it is an error."""
    package = tmp_path / "app"
    package.mkdir()
    monkeypatch.setattr("app.__file__", str(package / "__init__.py"))
    with pytest.raises(ModelError, match=str(package)):
        default_model_dir()
    (tmp_path / "model_weights").mkdir()
    assert default_model_dir() == tmp_path / "model_weights"
    (package / "model_weights").mkdir()
    assert default_model_dir() == package / "model_weights"


def test_pins_are_served_and_nothing_else(model_dir: Path, files: dict[str, bytes], manifest_fields: Fields) -> None:
    """With the pins of an earlier registry, versions that came since are ignored, by the defaults too."""
    before = Registry.open(model_dir)
    write_model(model_dir / "lenet5" / "11", files, manifest_fields)
    write_model(model_dir / "later" / "1", files, manifest_fields)
    spoil(model_dir / "later" / "1")
    pinned = Registry.open(model_dir, pins=[model.pin for model in before.served])
    assert pinned == before
    assert Registry.open(model_dir).resolve(None, "digit").version == 11


def test_a_pin_that_cannot_be_kept_stops(model_dir: Path, files: dict[str, bytes], manifest_fields: Fields) -> None:
    """A pinned version that is spoilt, another model, or gone raises, also where it is no default."""
    pins = [model.pin for model in Registry.open(model_dir).served]
    folder = model_dir / "other" / "1"
    spoil(folder)
    with pytest.raises(DigestMismatch, match="SHA-256"):
        Registry.open(model_dir, pins=pins)
    write_model(folder, files | {"model.safetensors": b"other weights"}, manifest_fields)
    with pytest.raises(DigestMismatch, match="being served as other:1"):
        Registry.open(model_dir, pins=pins)
    shutil.rmtree(folder)
    with pytest.raises(ModelNotFound, match="other:1"):
        Registry.open(model_dir, pins=pins)
