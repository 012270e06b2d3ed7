"""Where a forward pass runs. One contract, several backends; tests/runtime/test_contract.py holds all to it.

Each backend is imported when it is opened, so that a CPU service never pays for torch.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Final, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from app.errors import DeviceUnavailable
from app.lenet.weights import LINE_GRAPH, read_manifest
from app.runtime.device import has_cuda_device

Device = Literal["auto", "cpu", "cuda"]


class Backend(Protocol):
    """A model that is ready to run: opened, warmed up and used from one thread at a time, closed once."""

    @property
    def name(self) -> str:
        """Its name in BACKENDS."""

    @property
    def device(self) -> str:
        """Where it runs, in words: "cpu", or the name of a GPU."""

    @property
    def max_batch_size(self) -> int:
        """How many pictures one `infer` takes."""

    @property
    def inline(self) -> int:
        """Up to how many pictures a pass is so short that an event loop may as well run it itself."""

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """One forward pass.

        `inputs`: float32 (n, 1, 32, 32), ink 0..1, 0 <= n <= max_batch_size; it is not changed. Returns logits,
        float32 (n, num_classes), in order, in memory that is the caller's. A picture's logits do not depend on the
        others of its batch, but for rounding. Raises ValueError for another shape, dtype or number.
        """

    def warm_up(self) -> None:
        """Do what only the first passes would: the batch sizes that are to be served then cost what they will cost."""

    def close(self) -> None:
        """Give the device's memory back. Nothing may be called afterwards."""


class LineReader(Protocol):
    """What reads whole lines in a model of fields: ready to run in any number of threads at a time."""

    def log_probabilities(self, strip: NDArray[np.float32]) -> NDArray[np.float32]:
        """(w / 2, 11): of ten digits and the blank, at each step along a strip (32, w), w even."""


BACKENDS: Final[Mapping[str, str]] = {
    "onnx": "app.runtime.onnx:OnnxBackend",
    "torch-cpu": "app.runtime.torch_cpu:TorchCpuBackend",
    "torch-cuda": "app.runtime.torch_cuda:TorchCudaBackend",
    "fake": "app.runtime.fake:FakeBackend",
}
"""Name -> module:class, called with (folder, max_batch_size, threads)."""

SERVING: Final[Mapping[Literal["cpu", "cuda"], str]] = {"cpu": "onnx", "cuda": "torch-cuda"}
"""The backend that serves on a device."""


def backend_class(name: str) -> Callable[[Path, int, int], Backend]:
    """The implementation of that name, imported now."""
    module, _, attribute = BACKENDS[name].partition(":")
    implementation: Callable[[Path, int, int], Backend] = getattr(import_module(module), attribute)
    return implementation


def open_backend(folder: Path, *, device: Device, max_batch_size: int, threads: int = 1) -> Backend:
    """The model in `folder` (NAME/VERSION/) on a device, not warmed up yet.

    `auto` is CUDA where torch and a CUDA device are there, else the CPU, which runs onnxruntime with `threads` threads.
    Raises a ModelError when the model must not be served, DeviceUnavailable when `cuda` is asked for and not there.
    """
    device = chosen(device)
    if device == "cuda" and find_spec("torch") is None:
        raise DeviceUnavailable("The device cuda was asked for, but torch is not installed: it is in the extra cuda.")
    return backend_class(SERVING[device])(folder, max_batch_size, threads)


def open_line(folder: Path) -> LineReader | None:
    """That of the model in `folder`, if it has one; on the CPU. Raises a ModelError when it must not be served."""
    if LINE_GRAPH not in read_manifest(folder).sha256:
        return None
    reader: LineReader = import_module("app.runtime.line").LineBackend(folder)
    return reader


def chosen(device: Device) -> Literal["cpu", "cuda"]:
    """What `auto` means here."""
    if device == "auto":
        return "cuda" if has_cuda_device() else "cpu"
    return device
