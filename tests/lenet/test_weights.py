"""app.lenet.weights: nothing is served that its manifest does not vouch for."""

import hashlib
import json
import pickle
from pathlib import Path
from typing import Any

import pytest
import torch

from app.errors import DigestMismatch, ManifestInvalid, ModelNotFound, PreprocessingMismatch
from app.imaging import PREPROCESSING_ID
from app.lenet.architecture import Architecture
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5, load
from app.lenet.weights import Manifest, load_tensors, manifest_json, read_manifest, verify, write_model

Fields = dict[str, Any]
Files = dict[str, bytes]


@pytest.fixture
def folder(tmp_path: Path, files: Files, manifest_fields: Fields) -> Path:
    target = tmp_path / "lenet5" / "3"
    write_model(target, files, manifest_fields)
    return target


def edit_manifest(folder: Path, **changes: Any) -> None:
    """As by hand, without a digest."""
    path = folder / "manifest.json"
    values = json.loads(path.read_text())
    del values["digest"]
    path.write_text(json.dumps(values | changes))


def test_a_written_model_verifies(folder: Path, files: Files) -> None:
    """What was written is verified and read back: name and version of the folder, digests of the files."""
    manifest = verify(folder)
    assert (manifest.name, manifest.version, manifest.preprocessing) == ("lenet5", 3, PREPROCESSING_ID)
    assert manifest.sha256["model.onnx"] == hashlib.sha256(files["model.onnx"]).hexdigest()
    assert manifest.architecture == Architecture()
    assert {path.name for path in folder.iterdir()} == {*files, "manifest.json"}


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx"])
def test_a_flipped_bit_is_found(folder: Path, files: Files, name: str) -> None:
    """A single flipped bit in either file is a DigestMismatch with the path and both digests in its message."""
    flipped = bytes([files[name][0] ^ 1]) + files[name][1:]
    (folder / name).write_bytes(flipped)
    with pytest.raises(DigestMismatch) as caught:
        verify(folder)
    for evidence in (str(folder / name), hashlib.sha256(flipped).hexdigest(), hashlib.sha256(files[name]).hexdigest()):
        assert evidence in caught.value.message
    with pytest.raises(DigestMismatch):
        load_tensors(folder)


def test_a_manifest_that_says_something_else_is_found(folder: Path) -> None:
    """Every flipped bit of a manifest is refused, unless it says the same in other words."""
    path = folder / "manifest.json"
    content, manifest = path.read_bytes(), read_manifest(folder)
    refused = 0
    for place in range(0, len(content), 7):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        try:
            assert read_manifest(folder) == manifest
        except ManifestInvalid:
            refused += 1
    assert refused > len(content) / 7 * 0.6  # the others are white space


def test_a_manifest_is_made_anew_with_its_digest(folder: Path) -> None:
    """What is changed on purpose gets another digest, whichever it had."""
    values = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_bytes(manifest_json(values | {"threshold": 0.25}))
    assert read_manifest(folder).threshold == 0.25


@pytest.mark.parametrize("name", ["model.safetensors", "model.onnx", "manifest.json"])
def test_a_missing_file_is_named(folder: Path, name: str) -> None:
    """A file that is not there is a ModelNotFound with its path."""
    (folder / name).unlink()
    with pytest.raises(ModelNotFound, match=name):
        verify(folder)


def test_another_preprocessing_is_refused(folder: Path) -> None:
    """A model trained on another form of the input is refused, with both forms in the message."""
    edit_manifest(folder, preprocessing="other-1")
    with pytest.raises(PreprocessingMismatch, match="other-1") as caught:
        verify(folder)
    assert PREPROCESSING_ID in caught.value.message


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b"\xff\xfe", b"null", b"{}"])
def test_a_manifest_that_is_no_manifest(folder: Path, content: bytes) -> None:
    """Whatever else manifest.json holds is a ManifestInvalid with its path."""
    (folder / "manifest.json").write_bytes(content)
    with pytest.raises(ManifestInvalid, match=r"manifest\.json"):
        read_manifest(folder)


@pytest.mark.parametrize(
    "changes",
    [
        {"surprise": 1},
        {"name": ""},
        {"version": "3"},
        {"version": -1},
        {"version": True},
        {"task": "letter"},
        {"created": "yesterday"},
        {"created": "2026-01-02T03:04:05"},
        {"sha256": {"model.onnx": "0" * 64}},
        {"sha256": {"model.onnx": "0" * 64, "model.safetensors": "0" * 63}},
        {"sha256": {"model.onnx": "0" * 64, "model.safetensors": "A" * 64}},
        {"sha256": []},
        {"architecture": {"depth": 7}},
        {"architecture": None},
        {"threshold": 1.01},
        {"threshold": float("nan")},
        {"threshold": "0.5"},
        {"threshold": None},
        {"metrics": []},
    ],
)
def test_a_value_that_cannot_be(folder: Path, changes: Fields) -> None:
    """A manifest with an unknown key, or a value of another kind or range, is a ManifestInvalid that names it."""
    edit_manifest(folder, **changes)
    with pytest.raises(ManifestInvalid, match=next(iter(changes))):
        read_manifest(folder)


def test_every_key_is_needed(folder: Path) -> None:
    """A manifest that lacks any key but the calibrations and its digest is a ManifestInvalid that names it."""
    whole = json.loads((folder / "manifest.json").read_text())
    for key in set(whole) - {"calibration", "field_calibration", "digest"}:
        (folder / "manifest.json").write_text(json.dumps({k: v for k, v in whole.items() if k != key}))
        with pytest.raises(ManifestInvalid, match=f"lacks {key}"):
            read_manifest(folder)


def test_an_older_manifest_has_no_calibration(folder: Path) -> None:
    """A manifest without the key, and one where it is null, are those of a model without a calibration."""
    edit_manifest(folder, calibration=None)
    assert read_manifest(folder).calibration is None
    whole = json.loads((folder / "manifest.json").read_text())
    del whole["calibration"]
    (folder / "manifest.json").write_bytes(manifest_json(whole))
    assert read_manifest(folder).calibration is None


def test_a_calibration_is_part_of_the_manifest(tmp_path: Path, files: Files, manifest_fields: Fields) -> None:
    """A calibration that is written with a model is read back equal, with the manifest of a whole model."""
    calibration = Calibration.none(10)
    write_model(tmp_path / "lenet5" / "1", files, manifest_fields | {"calibration": calibration.to_dict()})
    assert verify(tmp_path / "lenet5" / "1").calibration == calibration


PLAIN = Calibration.none(10).to_dict()


@pytest.mark.parametrize(
    "calibration",
    [
        "none",
        [],
        {},
        1,
        PLAIN | {"surprise": 1},
        PLAIN | {"temperature": [float("nan"), 0, 0]},
        PLAIN | {"temperature": [0, 0]},
        PLAIN | {"temperature": ["0", "0", "0"]},
        PLAIN | {"lowest": {"margin": 1}},
        Calibration.none(11).to_dict(),  # for another number of outputs than the architecture has
    ],
)
def test_a_calibration_that_cannot_be(folder: Path, calibration: Any) -> None:
    """A manifest whose calibration is none, or not for its network, is a ManifestInvalid of one line that says so."""
    edit_manifest(folder, calibration=calibration)
    with pytest.raises(ManifestInvalid, match="calibration") as caught:
        read_manifest(folder)
    assert "\n" not in caught.value.message


def test_manifest_survives_its_dict(folder: Path) -> None:
    """A manifest is the same after it became a dict and was read again."""
    manifest = read_manifest(folder)
    assert Manifest.from_dict(manifest.to_dict()) == manifest


@pytest.mark.parametrize("changes", [{"name": "other"}, {"version": 4}, {"threshold": 2}, {"colour": "red"}])
def test_what_makes_no_manifest_is_not_written(
    tmp_path: Path, files: Files, manifest_fields: Fields, changes: Fields
) -> None:
    """Fields that make no manifest, or that of another folder, are a ValueError, and nothing is written."""
    target = tmp_path / "lenet5" / "3"
    with pytest.raises(ValueError, match=next(iter(changes))):
        write_model(target, files, manifest_fields | changes)
    assert not target.exists()


def test_a_model_without_its_graph_is_not_written(tmp_path: Path, files: Files, manifest_fields: Fields) -> None:
    """Both model files are needed."""
    del files["model.onnx"]
    with pytest.raises(ValueError, match=r"lacks model\.onnx"):
        write_model(tmp_path / "lenet5" / "1", files, manifest_fields)


def test_nothing_is_unpickled(tmp_path: Path, files: Files, manifest_fields: Fields) -> None:
    """A pickle under the name of the weights, its digest right, is refused without running what it asks for."""
    ran = tmp_path / "ran"

    class Bomb:
        def __reduce__(self) -> tuple[Any, ...]:
            return (Path.touch, (ran,))

    files["model.safetensors"] = pickle.dumps(Bomb())
    write_model(tmp_path / "lenet5" / "1", files, manifest_fields)
    with pytest.raises(ManifestInvalid, match="no safetensors"):
        load(tmp_path / "lenet5" / "1")
    assert not ran.exists()


@pytest.mark.parametrize("arguments", [{}, {"c3": "table1", "output": "rbf", "num_classes": 3}])
def test_a_loaded_model_answers_as_the_one_that_was_written(
    tmp_path: Path, files: Files, manifest_fields: Fields, arguments: Fields
) -> None:
    """Weights written and loaded give the same logits, bit for bit, in evaluation mode."""
    model = LeNet5(**arguments)
    target = tmp_path / "lenet5" / "1"
    fields = manifest_fields | {"architecture": model.architecture.to_dict()}
    write_model(target, files | {"model.safetensors": model.to_safetensors()}, fields)
    loaded = load(target)
    x = torch.rand(2, 1, 32, 32)
    assert torch.equal(loaded(x), model(x))
    assert not loaded.training


def test_weights_of_another_architecture_are_refused(tmp_path: Path, files: Files, manifest_fields: Fields) -> None:
    """Weights that do not fit the manifest's architecture are a ManifestInvalid."""
    target = tmp_path / "lenet5" / "1"
    write_model(target, files | {"model.safetensors": LeNet5(num_classes=3).to_safetensors()}, manifest_fields)
    with pytest.raises(ManifestInvalid, match="architecture"):
        load(target)
