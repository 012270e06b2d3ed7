"""What is written and read again: an exported model, and a run's checkpoint."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol
from unittest import mock

import numpy as np
import torch
from safetensors.numpy import save

from app.lenet.architecture import Architecture
from app.lenet.weights import GRAPH, WEIGHTS, load_tensors, write_model
from training import checkpoint

NUMBERS: Final = 4096
"""In what is written: some pages, so that half of it can be there."""
RUN: Final = {"config": "a run"}
FIELDS: Final[dict[str, Any]] = {
    **{name: {} for name in ("metrics", "training", "data", "versions")},
    "task": "digit",
    "created": "2026-01-02T03:04:05+00:00",
    "threshold": 0.0,
    "architecture": Architecture().to_dict(),
}


class Subject(Protocol):
    """Something of which a folder holds one version, a number."""

    @property
    def name(self) -> str: ...
    def write(self, folder: Path, version: int) -> None:
        """Put it in place of the version that is there. Raises OSError when the disk refuses."""

    def read(self, folder: Path) -> int:
        """The version that is there. Raises what its reader would meet."""

    def left_over(self, folder: Path) -> list[str]:
        """What lies beside it."""


@dataclass(frozen=True)
class Export:
    """A model folder, as `python -m training export` lays it down."""

    name: str = "export"

    def write(self, folder: Path, version: int) -> None:
        weights = save({"version": np.full(NUMBERS, version, np.float32)})
        write_model(folder / "model" / "1", {WEIGHTS: weights, GRAPH: bytes(8 * NUMBERS)}, FIELDS)

    def read(self, folder: Path) -> int:
        return int(load_tensors(folder / "model" / "1")["version"][0])

    def left_over(self, folder: Path) -> list[str]:
        return [path.name for path in (folder / "model").iterdir() if path.name != "1"]


@dataclass(frozen=True)
class Run:
    """A training run's checkpoint."""

    name: str = "checkpoint"

    def write(self, folder: Path, version: int) -> None:
        tensors = {"version": torch.full((NUMBERS,), version)}
        checkpoint.write(folder / "run", checkpoint.Checkpoint(RUN, {"epoch": version}, tensors))

    def read(self, folder: Path) -> int:
        return int(checkpoint.read(folder / "run", RUN).tensors["version"][0])

    def left_over(self, folder: Path) -> list[str]:
        return [path.name for path in (folder / "run").iterdir() if path.name != checkpoint.FILE]


SUBJECTS: Final[tuple[Subject, ...]] = (Export(), Run())


@contextmanager
def naively() -> Iterator[None]:
    """Both are written where they belong, as one does without a second thought."""

    def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
        target.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            write_file(target / name, content)

    def write_file(target: Path, content: bytes) -> None:
        with target.open("wb") as file:
            file.write(content)

    with (
        mock.patch("app.lenet.weights.write_folder", write_folder),
        mock.patch("training.checkpoint.write_file", write_file),
    ):
        yield
