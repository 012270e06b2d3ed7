"""Is the ink lighter or darker than its ground?

No sign of it holds for every picture. Under even light, Otsu's threshold parts ink from ground, and the ground is what
covers the border and lies in several pieces: true even of a tight crop that is mostly ink. Under uneven light that
threshold finds the shadow instead; then the ink is what departs from the smooth surface, and what is thin. The
weights were chosen on the forms of `benchmarks/forms.py`; how often they are wrong on other pictures is not known.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.ground import SURFACE_SIDE, Gray, lighter_part, quadratic_surface, reduced

DETAIL_SIDE = 128  # pixels
STROKE = 0.1  # of the picture's longer side: a stroke thinner than this is detail


def ink_is_light(picture: Gray, even: bool) -> bool:
    """Whether the ink of a gray picture (h, w) is lighter than its ground; the opposite for the inverted picture.

    `even` says whether it is evenly lit.
    """
    coarse = reduced(picture, SURFACE_SIDE)
    if even:
        light = lighter_part(coarse)
        vote = 2.5 * _border(light) + 3 * (_in_one_piece(light) - _in_one_piece(1 - light))
    else:
        vote = _skew(coarse) + _detail(reduced(picture, DETAIL_SIDE))
    return vote > 0


def _border(light: npt.NDArray[np.uint8]) -> float:
    """From -1, where all of the border is light, to 1, where none is."""
    ring = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    return 1 - 2 * float(ring.mean())


def _in_one_piece(mask: npt.NDArray[np.uint8]) -> float:
    """The largest piece's share of a mask, 0 to 1."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return ratio(float(areas.max(initial=0)), float(areas.sum()))


def _skew(picture: Gray) -> float:
    """Which side of the smooth surface that most of the picture follows the rest stands out on, -1 to 1."""
    residual = picture - quadratic_surface(picture, quantile=0.5)
    return ratio(sum_of_cubes(residual), sum_of_cubes(np.abs(residual)))


def _detail(picture: Gray) -> float:
    """Thin strokes rise above an opening (1) or fall under a closing (-1), whatever the light does."""
    side = max(3, round(max(picture.shape) * STROKE) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.7)
    above = sum_of_cubes(cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel))
    below = sum_of_cubes(cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, kernel))
    return ratio(above - below, above + below)


def sum_of_cubes(values: npt.NDArray[Any]) -> float:
    """What large values count most in, with their signs."""
    wide = values.astype(np.float64)
    return float((wide * wide * wide).sum())  # some twenty times faster than `** 3`


def ratio(part: float, whole: float) -> float:
    """A part of a whole; 0 of nothing."""
    return part / whole if whole > 0 else 0.0
