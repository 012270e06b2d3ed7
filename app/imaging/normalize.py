"""A picture of one digit to the network's input, in MNIST's form (LeCun et al. 1998, section III.A).

    picture (h, w) --ground, polarity--> ink (h, w) --parts--> the digit --box--> 20x20 --centre of mass--> (1, 32, 32)

A picture on one clean level of gray takes a short way: its ink is exact, so an MNIST picture keeps its pixels.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.box import BOX, SNAP, centred, scaled
from app.imaging.ground import ground_of, reduced
from app.imaging.parts import digit_mask
from app.imaging.polarity import ink_is_light

PREPROCESSING_ID = "mnist-20x20-centroid-1"
"""Names this definition of the input; a model states the one that it was trained on."""

INPUT_SHAPE = (1, 32, 32)
"""Channels, height and width of one input: float32, ink 0..1, background 0."""

WORK_SIDE = 512  # pixels; larger pictures are reduced to this first
WHITE = 255.0  # gray level
MIN_CONTRAST = 1.0  # gray levels between ink and ground under which a picture is blank
LOW_CONTRAST = 20.0  # gray levels between ink and ground
TOO_SMALL = 8  # pixels of the digit's longer side

Reason = Literal["blank", "too_small", "low_contrast"]


@dataclass(frozen=True)
class Normalized:
    """One input of the network, and what speaks against its being a digit."""

    input: npt.NDArray[np.float32]  # (1, 32, 32), ink 0..1, background 0
    reasons: tuple[Reason, ...]


def normalize(picture: npt.NDArray[Any]) -> Normalized:
    """A gray picture, uint8 or float32 (h, w) in gray levels 0..255, in MNIST's form.

    Takes any picture that can be decoded: one without ink gives zeros and the reason `blank`.
    """
    clean = _clean_ink(picture)
    if clean is not None:
        x, y, width, height = cv2.boundingRect(clean)
        if abs(max(width, height) - BOX) <= SNAP and float(clean.max()) >= 250:
            ink = clean[y : y + height, x : x + width].astype(np.float32) / np.float32(WHITE)
            return Normalized(centred(ink), ())
    return _from_any(picture)


def _clean_ink(picture: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """The difference of each pixel from the ground, if the border is one level and all ink on one side of it."""
    ground = picture[0, 0]
    if (picture[0] != ground).any() or (picture[-1] != ground).any():
        return None
    if (picture[:, 0] != ground).any() or (picture[:, -1] != ground).any():
        return None
    low, high, _, _ = cv2.minMaxLoc(picture)
    if low == ground:
        return picture - ground if ground else picture
    return ground - picture if high == ground else None


def _from_any(picture):
    work = reduced(picture.astype(np.float32), WORK_SIDE)
    clean = _clean_ink(picture)
    noise = 0.0
    if clean is not None:
        ink = reduced(clean.astype(np.float32), WORK_SIDE)
    else:
        if not ink_is_light(work):
            work = WHITE - work
        ink = np.maximum(work - ground_of(work), 0)
        noise = noise_of(work)
    smooth = ink
    peak = float(ink.max())
    if peak < MIN_CONTRAST:
        return Normalized(np.zeros(INPUT_SHAPE, np.float32), ("blank",))
    if noise > 0.02 * peak:
        smooth = cv2.GaussianBlur(ink, (0, 0), 1.0 if noise < 0.08 * peak else 1.6)
        noise *= 0.3 if noise < 0.08 * peak else 0.18
    peak = float(smooth.max())
    seen = smooth > max(4 * noise, 0.2 * peak)
    if not seen.any():
        return Normalized(np.zeros(INPUT_SHAPE, np.float32), ("blank",))
    first = digit_mask(smooth, seen.astype(np.uint8))
    level = float(np.percentile(smooth[first > 0], 80))
    mask = digit_mask(smooth, (smooth > max(3.5 * noise, 0.4 * level)).astype(np.uint8))
    x, y, w, h = cv2.boundingRect(mask)
    grown = cv2.dilate(mask, np.ones((3, 3), np.uint8), iterations=max(1, round(max(w, h) * 0.02)))
    final = np.clip(ink * grown / level, 0, 1)[y : y + h, x : x + w]
    reasons = []
    if max(w, h) < TOO_SMALL: reasons.append("too_small")
    if level < LOW_CONTRAST: reasons.append("low_contrast")
    return Normalized(centred(scaled(final.astype(np.float32))), tuple(reasons))


def noise_of(p):
    """Immerkaer 1996"""
    if min(p.shape) < 8: return 0.0
    k = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
    r = np.abs(cv2.filter2D(p, -1, k)[1:-1, 1:-1])
    return float(np.median(r)) / 0.6745 / 6


def from_mnist_form(batch: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    """Pictures that are in MNIST's form already: uint8 (n, 28, 28) or (n, 32, 32) to float32 (n, 1, 32, 32)."""
    margin = (INPUT_SHAPE[1] - batch.shape[1]) // 2
    padded = np.pad(batch, ((0, 0), (margin, margin), (margin, margin)))  # (n, 32, 32)
    return np.ascontiguousarray(padded[:, None], dtype=np.float32) / np.float32(255)  # (n, 1, 32, 32)
