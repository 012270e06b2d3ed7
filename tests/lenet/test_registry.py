"""app.lenet.registry: which model a request means."""

import json
import pickle
import shutil
from pathlib import Path
from typing import Any

import pytest

from app.errors import DigestMismatch, ManifestInvalid, ModelError, ModelNotFound, UnknownModel
from app.lenet.kept import kept
from app.lenet.registry import Registry, ServedModel, default_model_dir
from app.lenet.weights import write_model

Files = dict[str, bytes]
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


def test_another_process_serves_the_same(
    model_dir: Path, tmp_path: Path, files: Files, manifest_fields: Fields
) -> None:
    """What is kept is served again, with its defaults and what was left out, whatever became of the model folder."""
    spoil(model_dir / "other" / "2")
    before = Registry.open(model_dir)
    told = pickle.loads(pickle.dumps(kept(before, tmp_path / "kept")))
    write_model(model_dir / "lenet5" / "11", files, manifest_fields)
    spoil(model_dir / "lenet5" / "10")
    shutil.rmtree(model_dir / "reader")
    loaded: list[ServedModel] = []
    assert told.again(load=loaded.append).served == before.served == tuple(loaded)
    assert [str(left.error) for left in told.left_out] == [str(left.error) for left in before.left_out]


def test_what_is_kept_is_what_is_served(model_dir: Path, tmp_path: Path, files: Files, manifest_fields: Fields) -> None:
    """A version that went or was replaced is kept no more."""
    before = Registry.open(model_dir)
    kept(before, tmp_path / "kept")
    write_model(model_dir / "lenet5" / "1", files, manifest_fields | {"threshold": 0.6})
    shutil.rmtree(model_dir / "other")
    after = kept(before.renewed(model_dir), tmp_path / "kept")
    assert {model.folder for model in after.served} == set((tmp_path / "kept").iterdir())
    assert len(after.served) == 4


def test_a_kept_model_that_is_not_what_it_was_stops(
    model_dir: Path, tmp_path: Path, files: Files, manifest_fields: Fields
) -> None:
    """A kept version that is spoilt, another model, or gone raises, also where it is no default."""
    told = kept(Registry.open(model_dir), tmp_path / "kept")
    folder = next(model.folder for model in told.served if model.spec == "other:1")
    spoil(folder)
    with pytest.raises(DigestMismatch, match="SHA-256"):
        told.again()
    other = model_dir / "other" / "2"
    shutil.copytree(other, folder, dirs_exist_ok=True)
    with pytest.raises(DigestMismatch, match="being served as other:1"):
        told.again()
    shutil.rmtree(folder)
    with pytest.raises(ModelNotFound):
        told.again()


def test_a_renewed_registry_is_the_folders(model_dir: Path, files: dict[str, bytes], manifest_fields: Fields) -> None:
    """Versions that came are loaded, each once, those that went are gone, and the highest is the default."""
    before = Registry.open(model_dir)
    write_model(model_dir / "lenet5" / "11", files, manifest_fields)
    write_model(model_dir / "lenet5" / "1", files, manifest_fields | {"threshold": 0.6})  # another manifest alone
    shutil.rmtree(model_dir / "other")
    loaded: list[str] = []
    after = before.renewed(model_dir, load=lambda model: loaded.append(model.spec))
    assert loaded == ["lenet5:1", "lenet5:11"]
    assert [model.spec for model in after.served] == ["lenet5:1", "lenet5:2", "lenet5:10", "lenet5:11", "reader:1"]
    assert after == Registry.open(model_dir)


def test_what_fails_takes_the_place_of_nothing(
    model_dir: Path, files: dict[str, bytes], manifest_fields: Fields
) -> None:
    """What is served goes on where its folder broke, where a higher version fails, and where no default is left."""
    before = Registry.open(model_dir, {"digit": "lenet5", "field": "reader"})
    write_model(model_dir / "lenet5" / "11", files, manifest_fields)
    for version in ("10", "11"):
        spoil(model_dir / "lenet5" / version)
    shutil.rmtree(model_dir / "reader")
    for defaults in ({"digit": "lenet5", "field": "reader"}, {"digit": "lenet5"}):
        after = before.renewed(model_dir, defaults)
        assert after.served == before.served
    assert [left.path.name for left in after.left_out] == ["10", "11"]


def test_a_version_that_cannot_be_loaded_is_left_out(model_dir: Path) -> None:
    """What `load` refuses is as if it were broken: left out, or the end of the start where it is a default."""

    def refuse(model: ServedModel) -> None:
        if model.spec in refused:
            raise ModelError("as the test wants it")

    refused = ["other:2"]
    assert [left.path.name for left in Registry.open(model_dir, load=refuse).left_out] == ["2"]
    refused = ["lenet5:10"]
    with pytest.raises(ModelError, match="as the test wants it"):
        Registry.open(model_dir, load=refuse)
