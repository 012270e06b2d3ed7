"""Models that are whole on the disk and mean nothing: their files are a few bytes."""

from typing import Any

import pytest

from app.lenet.architecture import Architecture


@pytest.fixture
def files() -> dict[str, bytes]:
    """The files of a model that nobody parses."""
    return {"model.safetensors": b"weights", "model.onnx": b"graph", "MODEL_CARD.md": b"# A card\n"}


@pytest.fixture
def manifest_fields() -> dict[str, Any]:
    """What a manifest says besides what `write_model` fills in."""
    return {
        "task": "digit",
        "created": "2026-01-02T03:04:05+00:00",
        "architecture": Architecture().to_dict(),
        "threshold": 0.5,
        "metrics": {"test_error": 0.01},
        "training": {"epochs": 10},
        "data": {"train": "mnist"},
        "versions": {"torch": "2.13.0"},
    }
