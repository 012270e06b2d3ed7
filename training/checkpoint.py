"""Where a run stands, in one file: tensors as safetensors, the rest as JSON in its header. Nothing is unpickled."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from app.lenet.atomic_file import write_file
from training.errors import CheckpointError

FILE = "checkpoint.safetensors"


@dataclass(frozen=True)
class Checkpoint:
    """One moment between two epochs."""

    run: dict[str, Any]  # what identifies the run: another one must not go on from here
    progress: dict[str, Any]  # phase, epoch, what was measured so far
    tensors: dict[str, Tensor]


def write(folder: Path, checkpoint: Checkpoint) -> None:
    """Put the checkpoint in place of the last one, in one step: a crash leaves either, whole."""
    folder.mkdir(parents=True, exist_ok=True)
    rest = json.dumps({"run": checkpoint.run, "progress": checkpoint.progress}, sort_keys=True)
    metadata = {"json": rest, "sha256": _digest(rest, checkpoint.tensors)}
    write_file(folder / FILE, save(checkpoint.tensors, metadata))


def read(folder: Path, run: Mapping[str, Any]) -> Checkpoint:
    """The checkpoint in `folder`, once it is known to be whole and to belong to `run`.

    Raises:
        CheckpointError: there is none, it is damaged, or it belongs to another run; the message says what differs.
    """
    path = folder / FILE
    if not path.is_file():
        raise CheckpointError(f"There is nothing to resume: {path} does not exist. Start without --resume.")
    found = _read(path)
    if differences := _differences(found.run, json.loads(json.dumps(run))):  # a tuple was read back as a list
        raise CheckpointError(
            f"{path} belongs to another run: {'; '.join(differences)}. Start without --resume, or undo the change."
        )
    return found


def _read(path: Path) -> Checkpoint:
    try:
        with safe_open(path, framework="pt") as stream:
            metadata = stream.metadata() or {}
            tensors = {name: stream.get_tensor(name) for name in stream.keys()}  # noqa: SIM118  (not a dict)
        rest = json.loads(metadata["json"])
        intact = metadata["sha256"] == _digest(metadata["json"], tensors)
    except (OSError, SafetensorError, KeyError, ValueError) as error:
        raise CheckpointError(f"{path} is damaged ({error}). Start without --resume.") from error
    if not intact:
        raise CheckpointError(f"{path} is damaged (its SHA-256 is another). Start without --resume.")
    return Checkpoint(rest["run"], rest["progress"], tensors)


def finished_model(folder: Path) -> dict[str, Tensor]:
    """The weights that the finished run in `folder` ended with.

    Raises:
        CheckpointError: there is no run, it is damaged, or it stopped half way.
    """
    found = finished_run(folder)
    return {name.removeprefix("model."): tensor for name, tensor in found.tensors.items() if name.startswith("model.")}


def finished_run(folder: Path) -> Checkpoint:
    """The last checkpoint of the finished run in `folder`. Raises as `finished_model`."""
    path = folder / FILE
    if not path.is_file():
        raise CheckpointError(f"There is no finished run in {folder}; train it first.")
    found = _read(path)
    if not found.progress.get("finished"):
        raise CheckpointError(f"The run in {folder} stopped half way; go on with --resume first.")
    return found


def _digest(rest: str, tensors: Mapping[str, Tensor]) -> str:
    digest = hashlib.sha256(rest.encode())
    for name in sorted(tensors):
        digest.update(name.encode())
        digest.update(tensors[name].flatten().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _differences(theirs: Mapping[str, Any], ours: Mapping[str, Any], prefix: str = "") -> list[str]:
    found: list[str] = []
    for key in sorted(theirs.keys() | ours.keys()):
        one, other = theirs.get(key), ours.get(key)
        if isinstance(one, dict) and isinstance(other, dict):
            found += _differences(one, other, f"{prefix}{key}.")
        elif one != other:
            found.append(f"{prefix}{key} was {one!r} and is {other!r}")
    return found
