"""How much ink each pixel shows: its distance from the ground, in gray levels, and the noise in that."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.ground import SURFACE_SIDE, Gray, evenly_lit, ground_of, reduced
from app.imaging.polarity import ink_is_light

WORK_SIDE = 256  # pixels; larger pictures are reduced to this first
CLEAN_BORDER = 0.8  # of the border has the ground's level; a digit may touch the frame here and there
LAPLACIANS = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)  # blind to edges and slopes; its norm is 6


@dataclass(frozen=True)
class Ink:
    """The ink of a picture."""

    levels: Gray  # (h, w), gray levels above the ground, 0 or more
    noise: float  # standard deviation, gray levels
    exact: bool  # the ground is one level of gray, so the faintest ink is ink


def clean_ink(picture: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Each pixel's difference from the ground, exact and of the picture's dtype, if the ground is one level of gray.

    That is so where nearly all of the border has one level and every other pixel is on one side of it; else None.
    """
    low, high, _, _ = cv2.minMaxLoc(picture)
    first = picture.item(0, 0)
    ground = first if first in (low, high) else picture.item(-1, -1)
    if low == ground:
        clean = picture - ground if ground else picture
    elif high == ground:
        clean = ground - picture
    else:
        return None
    border = np.concatenate((clean[0], clean[-1], clean[:, 0], clean[:, -1]))
    return clean if border.size - np.count_nonzero(border) >= CLEAN_BORDER * border.size else None


def ink_of(picture: npt.NDArray[Any], clean: npt.NDArray[Any] | None) -> Ink:
    """The ink of any picture (h, w), reduced to 256 pixels a side; `clean` is what `clean_ink` found."""
    if clean is not None:
        return Ink(reduced(clean.astype(np.float32), WORK_SIDE), 0.0, exact=True)
    work = reduced(picture.astype(np.float32), WORK_SIDE)
    even = evenly_lit(reduced(work, SURFACE_SIDE))
    if not ink_is_light(work, even):
        work = 255 - work
    return Ink(np.maximum(work - ground_of(work, even), 0), _noise(work), exact=False)


def _noise(picture: Gray) -> float:
    """The standard deviation of the noise, after Immerkaer 1996, with a median so that strokes do not count."""
    if min(picture.shape) < 8:
        return 0.0
    response = np.abs(cv2.filter2D(picture, -1, LAPLACIANS)[1:-1, 1:-1])
    return float(np.median(response)) / 0.6745 / 6
