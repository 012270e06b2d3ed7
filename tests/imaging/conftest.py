"""Digits of MNIST's training set, and the limits."""

import gzip
from pathlib import Path

import numpy as np
import numpy.typing as npt
import pytest

from app.imaging import DecodeLimits

IMAGES = Path(__file__).parents[2] / "training" / "data" / "mnist" / "train-images-idx3-ubyte.gz"


@pytest.fixture(scope="session")
def training_digits() -> npt.NDArray[np.uint8]:
    """All 60,000 pictures, uint8 (60000, 28, 28)."""
    return np.frombuffer(gzip.decompress(IMAGES.read_bytes()), np.uint8, offset=16).reshape(-1, 28, 28)


@pytest.fixture(scope="session")
def digits(training_digits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """The first hundred."""
    return training_digits[:100]


@pytest.fixture
def limits() -> DecodeLimits:
    return DecodeLimits()
