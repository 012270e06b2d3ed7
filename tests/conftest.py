"""What the tests share: real weights of no merit and real pictures."""

import gzip
import io
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.lenet.weights import write_model

MNIST = Path(__file__).parents[1] / "training" / "data" / "mnist"


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model folder with an untrained LeNet-5 as lenet5:1, for what does not depend on its answers."""
    import torch
    from safetensors.torch import save

    from app.lenet.model import LeNet5
    from app.lenet.onnx_graph import onnx_bytes

    torch.manual_seed(0)
    model = LeNet5()
    folder = tmp_path_factory.mktemp("models")
    write_model(
        folder / "lenet5" / "1",
        {"model.safetensors": save(model.state_dict()), "model.onnx": onnx_bytes(model)},
        {
            "task": "digit",
            "created": "2026-01-01T00:00:00+00:00",
            "architecture": model.architecture.to_dict(),
            "threshold": 0.0,
            "metrics": {"test_error": 0.9},
            "training": {},
            "data": {},
            "versions": {},
        },
    )
    return folder


@pytest.fixture(scope="session")
def digits() -> list[bytes]:
    """Training digits of MNIST as PNG."""
    with gzip.open(MNIST / "train-images-idx3-ubyte.gz") as file:
        pictures = np.frombuffer(file.read(16 + 64 * 784)[16:], np.uint8).reshape(-1, 28, 28)
    return [png(picture) for picture in pictures]


@pytest.fixture
def promtool() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Prometheus' own tool, called with its arguments."""
    if shutil.which("promtool") is None:
        pytest.skip("promtool is not installed (Debian's package prometheus has it)")

    def call(*arguments: str, **options: Any) -> subprocess.CompletedProcess[str]:
        command = ["promtool", *arguments]
        return subprocess.run(command, capture_output=True, check=False, text=True, timeout=60, **options)

    return call


def png(picture: np.ndarray) -> bytes:
    """A gray picture, uint8 (h, w), as PNG."""
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()
