"""app.runtime.open_backend and app.runtime.device: where a model runs, and what that costs."""

import ctypes
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

import app.runtime
from app.errors import DeviceUnavailable, DigestMismatch, ModelError
from app.lenet.architecture import Architecture
from app.lenet.weights import write_model
from app.runtime import open_backend
from app.runtime.device import driver_device_count, has_cuda_device

without_cuda = pytest.mark.skipif(driver_device_count() > 0, reason="there is a CUDA device")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A model whose files have the right digests and are neither weights nor graph."""
    target = tmp_path / "lenet5" / "1"
    fields: dict[str, Any] = {key: {} for key in ("metrics", "training", "data", "versions")}
    fields |= {"task": "digit", "created": "2026-01-02T03:04:05Z", "threshold": 0}
    fields["architecture"] = Architecture().to_dict()
    write_model(target, {"model.safetensors": b"no weights", "model.onnx": b"no graph"}, fields)
    return target


@pytest.mark.parametrize("device", ["cpu", pytest.param("auto", marks=without_cuda)])
def test_a_cpu_never_imports_torch(model_folder: Path, device: str) -> None:
    """Opening, warming up and running on a CPU, asked for or found, leaves torch unimported."""
    code = f"""
import sys, numpy as np
from pathlib import Path
from app.runtime import open_backend
backend = open_backend(Path({str(model_folder)!r}), device={device!r}, max_batch_size=4)
backend.warm_up()
assert backend.infer(np.zeros((2, 1, 32, 32), np.float32)).shape == (2, 10)
assert (backend.name, backend.device, backend.max_batch_size) == ("onnx", "cpu", 4)
print("torch" in sys.modules)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


@without_cuda
def test_cuda_without_a_device_is_an_error(model_folder: Path) -> None:
    """CUDA that was asked for by name is never quietly replaced by the CPU."""
    with pytest.raises(DeviceUnavailable, match="no CUDA device"):
        open_backend(model_folder, device="cuda", max_batch_size=4)


def test_cuda_without_torch_is_an_error(model_folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without torch the message says which extra brings it."""
    monkeypatch.setattr(app.runtime, "find_spec", lambda _name: None)
    with pytest.raises(DeviceUnavailable, match="extra cuda"):
        open_backend(model_folder, device="cuda", max_batch_size=4)


def test_a_spoilt_model_is_not_opened(folder: Path) -> None:
    """A backend checks the digests itself, and runs the bytes that it checked."""
    (folder / "model.onnx").write_bytes(b"spoilt")
    with pytest.raises(DigestMismatch):
        open_backend(folder, device="cpu", max_batch_size=4)


def test_a_graph_that_cannot_run_is_a_model_error(folder: Path) -> None:
    """A file with the right digest that is no graph is a ModelError with its path."""
    with pytest.raises(ModelError, match=r"model\.onnx"):
        open_backend(folder, device="cpu", max_batch_size=4)


@pytest.mark.parametrize(("init", "count", "expected"), [(0, 2, 2), (0, 0, 0), (100, 2, 0)])
def test_devices_are_counted_by_the_driver(
    monkeypatch: pytest.MonkeyPatch, init: int, count: int, expected: int
) -> None:
    """The number of devices is the driver's; a driver that does not start has none."""

    def get_count(pointer: Any) -> int:
        pointer._obj.value = count
        return 0

    monkeypatch.setattr(
        ctypes, "CDLL", lambda _name: SimpleNamespace(cuInit=lambda _: init, cuDeviceGetCount=get_count)
    )
    assert driver_device_count() == expected


def test_a_driver_without_a_torch_that_can_use_it_is_no_device(monkeypatch: pytest.MonkeyPatch) -> None:
    """A GPU beside a CPU build of torch is not taken for a CUDA device."""
    monkeypatch.setattr("app.runtime.device.driver_device_count", lambda: 1)
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    assert not has_cuda_device()


def test_fake_reads_the_amount_of_ink() -> None:
    """The fake backend's digit is the ink in whole pixels, modulo 10, so that a test knows the answer."""
    backend = app.runtime.backend_class("fake")(Path(), 20, 1)
    inputs = np.zeros((20, 1, 32, 32), np.float32)
    for n in range(20):
        inputs[n].flat[:n] = 1
    assert backend.infer(inputs).argmax(axis=1).tolist() == [n % 10 for n in range(20)]
