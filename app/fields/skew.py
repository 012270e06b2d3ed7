"""How far a field's line of characters climbs (skew), and how far its characters lean (slant)."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]

DIGIT_HEIGHT = 0.55  # of the usual height: pieces as high as that are taken for digits
SURE = 1.5  # standard errors: a skew of less is not corrected
MAX_SKEW = 0.25  # pixels down per pixel to the right
SHEARS = np.linspace(-0.5, 0.9, 29)
"""Pixels to the right per pixel up that are tried for the slant; handwriting leans to the right more often."""

USUAL_SHEAR, SHEAR_SPREAD = 0.15, 0.7  # what is taken where the columns do not tell


@dataclass(frozen=True)
class Body:
    """Where the body of the digits lies: from the top to the bottom of most digit-sized ink, in pixels."""

    top: float
    bottom: float

    @property
    def height(self) -> float:
        """Of the body, in pixels."""
        return self.bottom - self.top


def body_of(stats: npt.NDArray[Any]) -> Body | None:
    """The body of the pieces with these statistics, (n, 5) as of cv2.connectedComponentsWithStats without the ground.

    Medians weighted by the pieces' widths, so that several touching digits count for several; None without pieces.
    """
    if not len(stats):
        return None
    width, height = stats[:, cv2.CC_STAT_WIDTH].astype(float), stats[:, cv2.CC_STAT_HEIGHT].astype(float)
    top = stats[:, cv2.CC_STAT_TOP].astype(float)
    weight = np.minimum(width, 6 * height) * height
    usual = _weighted_median(height, weight)
    digits = (height >= DIGIT_HEIGHT * usual) & (height <= 1.8 * usual)
    weight = np.maximum(width, 0.3 * height)[digits]
    first, last = _weighted_median(top[digits], weight), _weighted_median((top + height)[digits], weight)
    return Body(first, last) if last - first >= 1 else Body(first, first + 1)


def skew_of(stats: npt.NDArray[Any], body: Body) -> float:
    """The slope of the line of digits, in pixels down per pixel to the right; 0 where it is not sure.

    Through the middles of the digits, by least squares, less 1.5 standard errors: digits sit unevenly, and a
    correction that is not needed costs more than one that is missed.
    """
    height = stats[:, cv2.CC_STAT_HEIGHT]
    digits = stats[(height >= DIGIT_HEIGHT * body.height) & (height <= 1.6 * body.height)].astype(float)
    if len(digits) < 3:
        return 0.0
    x = digits[:, cv2.CC_STAT_LEFT] + digits[:, cv2.CC_STAT_WIDTH] / 2
    y = digits[:, cv2.CC_STAT_TOP] + digits[:, cv2.CC_STAT_HEIGHT] / 2
    spread = float(np.square(x - x.mean()).sum())
    if spread <= 0 or np.ptp(x) < 2 * body.height:
        return 0.0
    slope = float(((x - x.mean()) * (y - y.mean())).sum()) / spread
    residual = y - y.mean() - slope * (x - x.mean())
    error = np.sqrt((float(np.square(residual).sum()) + (0.05 * body.height) ** 2) / (len(x) - 2) / spread)
    sure = max(abs(slope) - SURE * float(error), 0.0)
    return float(np.clip(np.sign(slope) * sure, -MAX_SKEW, MAX_SKEW))


def slant_of(mask: Mask) -> float:
    """How far the strokes lean to the right, in pixels per pixel up: the shear whose columns are most unequal.

    Uprights stand in few columns when they are upright: the sum of the squared column counts is greatest
    (as in Vinciarelli and Luettin, 2001, simplified).
    """
    ys, xs = np.nonzero(mask)
    if len(xs) < 20:
        return 0.0
    if len(xs) > 6000:
        ys, xs = ys[:: len(xs) // 3000], xs[:: len(xs) // 3000]
    middle = ys.mean()
    moved = np.rint(xs[None, :] + SHEARS[:, None] * (ys - middle)[None, :]).astype(np.int64)  # (29, n)
    moved -= moved.min()
    span = int(moved.max()) + 1
    flat = (moved + np.arange(len(SHEARS))[:, None] * span).ravel()
    counts = np.bincount(flat, minlength=len(SHEARS) * span).reshape(len(SHEARS), span)
    score = np.square(counts.astype(np.float64)).sum(axis=1)
    score = np.convolve(np.pad(score, 1, mode="edge"), (0.25, 0.5, 0.25), mode="valid")
    score *= np.exp(-0.5 * np.square((SHEARS - USUAL_SHEAR) / SHEAR_SPREAD))
    best = int(score.argmax())
    return float(SHEARS[best])


def _weighted_median(values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> float:
    order = np.argsort(values, kind="stable")
    total = np.cumsum(weights[order])
    return float(values[order][int(np.searchsorted(total, total[-1] / 2))])
