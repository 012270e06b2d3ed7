"""Is the ink lighter or darker than its ground?

No single sign of it holds for every picture: on a tight crop the ink may cover most of the picture, under uneven light
there is no one threshold, and a hairline vanishes in any average. Four signs vote, each between -1 (dark ink) and 1
(light ink) and each exactly opposite for the inverted picture; the weights come from a logistic regression on training
digits in the forms of `benchmarks/forms.py` and on USPS training digits, rounded.
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.ground import quadratic_surface, reduced

Gray = npt.NDArray[np.float32]

WEIGHTS = {"skew": 1.0, "border": 2.5, "pieces": 3.0, "detail": 1.0}


def ink_is_light(picture: Gray) -> bool:
    """Whether the ink of a gray picture, float32 (h, w), is lighter than its ground."""
    coarse = reduced(picture, 48)
    light = _lighter_half(coarse)
    votes = {
        "skew": _skew(coarse),
        "border": _border(light),
        "pieces": _in_one_piece(light) - _in_one_piece(1 - light),
        "detail": _detail(reduced(picture, 128)),
    }
    return sum(WEIGHTS[name] * vote for name, vote in votes.items()) > 0


def _lighter_half(picture: Gray) -> npt.NDArray[np.uint8]:
    """1 where the picture is lighter than Otsu's threshold, else 0."""
    low, high, _, _ = cv2.minMaxLoc(picture)
    levels = ((picture - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    return cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].astype(np.uint8)


def _skew(picture: Gray) -> float:
    """Ink stands out on one side of the smooth surface that most of the picture follows."""
    residual = picture - quadratic_surface(picture, quantile=0.5)
    cubes = residual.astype(np.float64) ** 3
    return _ratio(float(cubes.sum()), float(np.abs(cubes).sum()))


def _border(light: npt.NDArray[np.uint8]) -> float:
    """Most of the border is ground."""
    ring = np.concatenate((light[0], light[-1], light[:, 0], light[:, -1]))
    return 1 - 2 * float(ring.mean())


def _in_one_piece(mask: npt.NDArray[np.uint8]) -> float:
    """The largest piece's share: ink hangs together, while a tight crop leaves the ground in corners and holes."""
    count, _, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    areas = stats[1:count, cv2.CC_STAT_AREA]
    return _ratio(float(areas.max(initial=0)), float(areas.sum()))


def _detail(picture: Gray) -> float:
    """Thin strokes rise above an opening, or fall under a closing, whatever the light does."""
    side = max(3, round(max(picture.shape) * 0.1) | 1)
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(picture, (0, 0), 0.7) if max(picture.shape) > 60 else picture
    above = _cubes(cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel))
    below = _cubes(cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, kernel))
    return _ratio(above - below, above + below)


def _cubes(values: npt.NDArray[Any]) -> float:
    return float((values.astype(np.float64) ** 3).sum())


def _ratio(part: float, whole: float) -> float:
    return part / whole if whole > 0 else 0.0
