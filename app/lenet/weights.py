"""A model's folder, NAME/VERSION/: weights, graph and the manifest that vouches for them. Needs no torch.

    model.safetensors   the weights, for torch
    model.onnx          the same as a graph, for onnxruntime
    line.onnx           of a model of fields, if it has one: the network that reads whole lines
    manifest.json       what they are, with the SHA-256 of these, and one of all that it says itself

Nothing is unpickled, and no byte of a model is parsed before its digest was compared: safetensors itself does not
notice a flipped bit.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal, Self, get_args

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load

from app.errors import DigestMismatch, ManifestInvalid, ModelNotFound, PreprocessingMismatch
from app.imaging import PREPROCESSING_ID
from app.lenet.architecture import Architecture
from app.lenet.atomic_folder import write_folder
from app.lenet.calibration import Calibration

Task = Literal["digit", "field"]

MANIFEST: Final = "manifest.json"
WEIGHTS: Final = "model.safetensors"
GRAPH: Final = "model.onnx"
LINE_GRAPH: Final = "line.onnx"
DIGEST: Final = "digest"
"""The key of a manifest that holds the SHA-256 of all others with their values."""


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What manifest.json says. Raises ValueError when a value cannot be."""

    name: str
    version: int  # from 0; the highest is served by default
    task: Task  # "digit" answers /predict, "field" answers /read
    created: str  # ISO 8601, with an offset from UTC
    sha256: Mapping[
        str, str
    ]  # of model.safetensors, model.onnx and line.onnx where there is one, 64 lower-case hexadecimal digits
    preprocessing: str  # the PREPROCESSING_ID of app.imaging that it was trained with
    architecture: Architecture
    threshold: float  # 0..1: a prediction with less confidence is not accepted
    metrics: Mapping[str, Any]  # figures of the evaluation
    training: Mapping[str, Any]  # the training config
    data: Mapping[str, Any]  # the data sets it was trained and measured on
    versions: Mapping[str, Any]  # of the programs that made it
    calibration: Calibration | None = None  # how logits become a confidence; None: as they are, see Calibration.none
    field_calibration: Mapping[str, Any] | None = None  # of a model of fields: what app.fields.calibration holds

    def __post_init__(self) -> None:
        for key in ("name", "created", "preprocessing"):
            if not isinstance(getattr(self, key), str) or not getattr(self, key):
                raise ValueError(f"{key} is {getattr(self, key)!r}, not a text")
        for key in ("sha256", "metrics", "training", "data", "versions", "field_calibration"):
            optional = key == "field_calibration" and self.field_calibration is None
            if not optional and not isinstance(getattr(self, key), Mapping):
                raise ValueError(f"{key} is {getattr(self, key)!r}, not an object")
        if type(self.version) is not int or self.version < 0:
            raise ValueError(f"version is {self.version!r}, not a whole number")
        if self.task not in get_args(Task):
            raise ValueError(f"task is {self.task!r}, not one of {', '.join(get_args(Task))}")
        if not _is_point_in_time(self.created):
            raise ValueError(f"created is {self.created!r}, not ISO 8601 with an offset from UTC")
        self._check_files()
        if type(self.threshold) not in (int, float) or not 0 <= self.threshold <= 1:
            raise ValueError(f"threshold is {self.threshold!r}, not a number from 0 to 1")
        if self.calibration is not None and self.calibration.classes != self.architecture.num_classes:
            raise ValueError(
                f"calibration is for {self.calibration.classes} outputs, but the architecture has "
                f"{self.architecture.num_classes}"
            )

    def _check_files(self) -> None:
        if set(self.sha256) - {LINE_GRAPH} != {WEIGHTS, GRAPH}:
            raise ValueError(f"sha256 has {sorted(self.sha256)}, not {WEIGHTS} and {GRAPH}")
        if LINE_GRAPH in self.sha256 and self.task != "field":
            raise ValueError(f"sha256 has {LINE_GRAPH}, but the task is {self.task}, not field")
        for file, digest in self.sha256.items():
            if not isinstance(digest, str) or len(digest) != 64 or set(digest) - set("0123456789abcdef"):
                raise ValueError(f"sha256 of {file} is {digest!r}, not 64 lower-case hexadecimal digits")

    @property
    def reading(self) -> Calibration:
        """How this model's logits are read: by its calibration, or as they are.

        Raises ValueError when it has another number of outputs than what reads digits has.
        """
        return self.calibration or Calibration.none(self.architecture.num_classes)

    @property
    def digest(self) -> str:
        """The SHA-256 of all that it says, the SHA-256 of the files included: what the model is, wherever it lies."""
        return _digest(self.to_dict())

    def to_dict(self) -> dict[str, Any]:
        """As manifest.json holds it."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        calibration = None if self.calibration is None else self.calibration.to_dict()
        return values | {"architecture": self.architecture.to_dict(), "calibration": calibration}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`. Raises ValueError when a key is missing or unknown, or a value cannot be."""
        known = {field.name for field in fields(cls)}
        if missing := sorted(known - {"calibration", "field_calibration"} - set(values)):
            raise ValueError(f"it lacks {', '.join(missing)}")
        if unknown := sorted(set(values) - known):
            raise ValueError(f"it has unknown keys: {', '.join(unknown)}")
        if not isinstance(values["architecture"], Mapping):
            raise ValueError(f"architecture is {values['architecture']!r}, not an object")
        made = {"architecture": Architecture.from_dict(values["architecture"])}
        return cls(**{**values, **made, "calibration": _calibration(values.get("calibration"))})


def read_manifest(folder: Path) -> Manifest:
    """The manifest of the model in `folder`, nothing else checked. Raises ModelNotFound or ManifestInvalid."""
    path = folder / MANIFEST
    content = _read(path)
    try:
        values = json.loads(content)
        if not isinstance(values, dict):
            raise ValueError("it is not a JSON object")
        digest = values.pop(DIGEST, None)  # older ones have none
        manifest = Manifest.from_dict(values)
        if digest not in (None, found := _digest(values)):
            raise ValueError(f"its {DIGEST} is {digest!r}, but what it says has {found!r}")
        return manifest
    except ValueError as error:  # JSON's and Unicode's errors are ValueErrors too
        raise ManifestInvalid(f"The manifest {path} cannot be used: {error}.", path=str(path)) from error


def verify(folder: Path) -> Manifest:
    """The manifest of the model in `folder`, once it is known that the model may be served.

    Compares the SHA-256 of the model's files, and the form of the input with the one that this program makes. Raises
    ModelNotFound, ManifestInvalid, DigestMismatch or PreprocessingMismatch.
    """
    manifest = read_manifest(folder)
    if manifest.preprocessing != PREPROCESSING_ID:
        raise PreprocessingMismatch(
            f"The model in {folder} was trained with the preprocessing {manifest.preprocessing!r}, "
            f"but this program makes {PREPROCESSING_ID!r}.",
            path=str(folder),
            expected=PREPROCESSING_ID,
            found=manifest.preprocessing,
        )
    for name in manifest.sha256:
        _verified_content(folder, name, manifest)
    return manifest


def read_verified(folder: Path, name: str) -> bytes:
    """The content of one file of a model: the very bytes whose digest was compared, after all that `verify` checks.

    Reading the file again after `verify` could give others.
    """
    return _verified_content(folder, name, verify(folder))


def load_tensors(folder: Path) -> dict[str, NDArray[np.float32]]:
    """The weights of the model in `folder` by name, after all that `verify` checks."""
    content = read_verified(folder, WEIGHTS)
    try:
        return load(content)
    except SafetensorError as error:
        path = folder / WEIGHTS
        raise ManifestInvalid(f"{path} has the digest of its manifest but is no safetensors file: {error}.") from error


def write_model(target: Path, files: Mapping[str, bytes], manifest_fields: Mapping[str, Any]) -> Manifest:
    """Write a model into `target` (.../NAME/VERSION), atomically, in place of one that may be there.

    `files` holds at least model.safetensors and model.onnx, and line.onnx if a model of fields has one. The manifest is
    made here from `manifest_fields`, as JSON holds them (`architecture` and `calibration` are dicts). Name and version
    are those of the folder, `sha256`, `preprocessing` and the digest are filled in. Raises ValueError when the fields
    make no manifest, OSError when the disk refuses.
    """
    name, version = target.parent.name, int(target.name)
    for key, value in (("name", name), ("version", version)):
        if manifest_fields.get(key, value) != value:
            raise ValueError(f"the manifest's {key} {manifest_fields[key]!r} is not that of the folder, {value!r}")
    if missing := sorted({WEIGHTS, GRAPH} - set(files)):
        raise ValueError(f"the model lacks {', '.join(missing)}")
    made = {
        "name": name,
        "version": version,
        "sha256": {
            file: hashlib.sha256(files[file]).hexdigest() for file in (WEIGHTS, GRAPH, LINE_GRAPH) if file in files
        },
        "preprocessing": PREPROCESSING_ID,
    }
    manifest = Manifest.from_dict({key: value for key, value in {**manifest_fields, **made}.items() if key != DIGEST})
    write_folder(target, {**files, MANIFEST: manifest_json(manifest.to_dict())})
    return manifest


def manifest_json(values: Mapping[str, Any]) -> bytes:
    """The content of a manifest.json that says this, with the digest of it in place of one that may be among it."""
    said = {key: value for key, value in values.items() if key != DIGEST}
    return (json.dumps({**said, DIGEST: _digest(said)}, indent=2, ensure_ascii=False, allow_nan=False) + "\n").encode()


def _digest(values: Mapping[str, Any]) -> str:
    """The SHA-256 of JSON values, however they are written down."""
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def _calibration(values: object) -> Calibration | None:
    """The calibration that a manifest holds, if any. Raises ValueError when it is none."""
    if values is None:
        return None
    if not isinstance(values, Mapping):
        raise ValueError(f"calibration is {values!r}, not an object")
    try:
        return Calibration.from_dict(values)
    except ValueError as error:
        raise ValueError(f"calibration cannot be used, {error}") from error


def _is_point_in_time(text: str) -> bool:
    try:
        return datetime.fromisoformat(text).tzinfo is not None
    except ValueError:
        return False


def _verified_content(folder: Path, name: str, manifest: Manifest) -> bytes:
    path = folder / name
    content = _read(path)
    found = hashlib.sha256(content).hexdigest()
    expected = manifest.sha256[name]
    if found != expected:
        raise DigestMismatch(
            f"{path} is not the file that its manifest describes: SHA-256 expected {expected}, found {found}.",
            path=str(path),
            expected=expected,
            found=found,
        )
    return content


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ModelNotFound(f"{path} cannot be read: {error.strerror}.", path=str(path)) from error
