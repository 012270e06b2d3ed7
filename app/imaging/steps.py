"""The way of a picture to the network's input, step by step: for people to look at.

It is the way of `normalize`, through the same functions, with what lies between them kept.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.box import SIDE, centred, place_of, scaled
from app.imaging.ink import clean_ink, ink_of
from app.imaging.normalize import (
    INPUT_SHAPE,
    WHITE,
    Normalized,
    Reason,
    box_of_mnist,
    cut_to,
    find_digit,
    objections,
)


@dataclass(frozen=True)
class Steps:
    """What becomes of a picture."""

    ink: npt.NDArray[np.float32]  # (h, w), 0..1: what is not ground, at most 256 pixels a side; 1 is the digit's own
    found: tuple[int, int, int, int] | None  # x, y, width, height of the digit in that; None where there is no ink
    box: npt.NDArray[np.float32]  # (h, w), 0..1: the digit alone, its longer side 19 to 21 pixels; (0, 0) without one
    place: tuple[int, int]  # row and column of the input that the box's first ones come to
    normalized: Normalized  # what `normalize` gives

    @property
    def framed(self) -> npt.NDArray[np.float32]:
        """The whole picture's ink as an input, float32 (1, 32, 32): shrunk as it is, neither cut out nor centred."""
        height, width = self.ink.shape
        scale = SIDE / max(height, width)
        size = max(1, round(width * scale)), max(1, round(height * scale))
        small = cv2.resize(self.ink, size, interpolation=cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR)
        out = np.zeros(INPUT_SHAPE, np.float32)
        top, left = (SIDE - size[1]) // 2, (SIDE - size[0]) // 2
        out[0, top : top + size[1], left : left + size[0]] = small
        return out


def steps(picture: npt.NDArray[Any]) -> Steps:
    """The steps of a gray picture, uint8 or float32 (h, w) in gray levels 0..255."""
    clean = clean_ink(picture)
    reasons: tuple[Reason, ...] = ()
    if clean is not None and (found := box_of_mnist(clean)) is not None:
        levels, alone = np.divide(clean, WHITE, dtype=np.float32), cut_to(found, clean)
    else:
        ink = ink_of(picture, clean)
        digit = find_digit(ink)
        if digit is None:
            nothing = Normalized(np.zeros(INPUT_SHAPE, np.float32), ("blank",))
            return Steps(np.zeros_like(ink.levels), None, np.zeros((0, 0), np.float32), (0, 0), nothing)
        levels, found, alone = np.minimum(ink.levels / digit.level, 1), digit.box, digit.alone
        reasons = objections(digit, ink, picture)
    box = scaled(alone)
    return Steps(levels, found, box, place_of(box), Normalized(centred(box), reasons))
