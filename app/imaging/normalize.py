"""A picture of one digit to the network's input, in MNIST's form (LeCun et al. 1998, section III.A)."""

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

PREPROCESSING_ID = "mnist-20x20-centroid-1"
"""Names this definition of the input; a model states the one that it was trained on."""

INPUT_SHAPE = (1, 32, 32)
"""Channels, height and width of one input: float32, ink 0..1, background 0."""

Reason = Literal["blank", "too_small", "low_contrast"]


@dataclass(frozen=True)
class Normalized:
    """One input of the network, and what speaks against its being a digit."""

    input: npt.NDArray[np.float32]  # (1, 32, 32), ink 0..1, background 0
    reasons: tuple[Reason, ...]


def normalize(picture: npt.NDArray[Any]) -> Normalized:
    """A gray picture (h, w) in MNIST's form."""
    raise NotImplementedError


def from_mnist_form(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Pictures that are in MNIST's form already: uint8 (n, 28, 28) or (n, 32, 32) to float32 (n, 1, 32, 32)."""
    margin = (INPUT_SHAPE[1] - batch.shape[1]) // 2
    padded = np.pad(batch, ((0, 0), (margin, margin), (margin, margin)))  # (n, 32, 32)
    return np.ascontiguousarray(padded[:, None], dtype=np.float32) / np.float32(255)  # (n, 1, 32, 32)
