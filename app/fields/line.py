"""The picture of one field to a straight line of clean characters, of one size.

picture (h, w) --background--> ink --rules--> without rules and boxes --skew--> body, skew and slant --> Line
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.fields.background import BLANK_CONTRAST, FieldInk, field_ink
from app.fields.rules import without_rules
from app.fields.skew import Body, body_of, skew_of, slant_of
from app.imaging.normalize import LOW_CONTRAST, TOO_SMALL, Reason

BODY = 40  # pixels; the height that the digits' body is brought to
ALIKE = 1.3  # a body within this factor of that is left as it is, for resampling blurs
MAX_HEIGHT, MAX_WIDTH = 128, 8192  # pixels of a line
MARGIN = 2  # pixels of ground round a line's ink
SPECK = 0.06  # of the body's height, as the side of a square: a piece of less area is a speck


@dataclass(frozen=True)
class Line:
    """One field, cleaned and straightened: what is cut into characters."""

    ink: npt.NDArray[np.float32]  # (h, w), 0..1, ground 0; h <= 128, w <= 8192
    to_picture: npt.NDArray[np.float64]  # (2, 3): a line's (x, y, 1) -> the caller's; pixel i covers i to i + 1 in both
    top: float  # of the digits' body, in rows of the ink
    bottom: float
    polarity: Literal["dark_on_light", "light_on_dark"]
    skew_degrees: float  # the caller's line falls to the right by so much
    slant_degrees: float  # the caller's characters lean to the right by so much
    reasons: tuple[Reason, ...]
    rules: int  # level rules that were taken out


def clean(picture: npt.NDArray[Any]) -> Line:
    """Any gray picture of a field, uint8 or floating (h, w) in gray levels 0..255, as a line.

    Never raises on pixels: one without ink gives an empty line and the reason `blank`.
    """
    gray = picture if picture.dtype == np.uint8 else np.nan_to_num(picture.astype(np.float32), posinf=255, neginf=0)
    found = field_ink(gray)
    if not found.mask.any():
        return _blank(found)
    rules = without_rules(found.mask)
    mask, stats = _without_specks(rules.mask)
    body = body_of(stats)
    if body is None:
        return _blank(found)
    skew = skew_of(stats, body) if rules.slope is None else rules.slope
    slant = slant_of(_sheared(mask, skew))
    ink = found.ink * cv2.dilate(mask, np.ones((3, 3), np.uint8)) if rules.found else found.ink
    line, to_work, body = _straightened(ink, mask, body, skew, slant)
    reduction = np.array([[gray.shape[1] / mask.shape[1]], [gray.shape[0] / mask.shape[0]]])
    reasons: list[Reason] = []
    if body.height * abs(to_work[1, 1]) * float(reduction[1, 0]) < TOO_SMALL:
        reasons.append("too_small")
    if found.contrast < LOW_CONTRAST:
        reasons.append("low_contrast")
    return Line(
        ink=line,
        to_picture=to_work * reduction,
        top=body.top,
        bottom=body.bottom,
        polarity="light_on_dark" if found.light else "dark_on_light",
        skew_degrees=float(np.degrees(np.arctan(skew))),
        slant_degrees=float(np.degrees(np.arctan(slant))),
        reasons=tuple(reasons),
        rules=rules.found,
    )


def _blank(found: FieldInk) -> Line:
    height, width = min(found.ink.shape[0], MAX_HEIGHT), min(found.ink.shape[1], MAX_WIDTH)
    return Line(
        ink=np.zeros((height, width), np.float32),
        to_picture=np.eye(2, 3),
        top=0.0,
        bottom=float(height),
        polarity="light_on_dark" if found.light and found.contrast >= BLANK_CONTRAST else "dark_on_light",
        skew_degrees=0.0,
        slant_degrees=0.0,
        reasons=("blank",),
        rules=0,
    )


def _without_specks(mask: npt.NDArray[np.uint8]) -> tuple[npt.NDArray[np.uint8], npt.NDArray[Any]]:
    """The mask (h, w) without pieces too small for a point, and the statistics (n, 5) of the others."""
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    pieces = stats[1:]
    body = body_of(pieces)
    kept = np.zeros(count, np.uint8)
    if body is not None:
        kept[1:] = pieces[:, cv2.CC_STAT_AREA] >= max(1.0, (SPECK * body.height) ** 2)
    cleaned: npt.NDArray[np.uint8] = kept[labels]
    return cleaned, pieces[kept[1:] > 0]


def _sheared(mask: npt.NDArray[np.uint8], skew: float) -> npt.NDArray[np.uint8]:
    """The mask with its line level; what leaves the frame is lost."""
    if skew == 0:
        return mask
    height, width = mask.shape
    matrix = np.array([[1.0, 0.0, 0.0], [-skew, 1.0, skew * width / 2]])
    return cv2.warpAffine(mask, matrix, (width, height), flags=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def _straightened(
    ink: npt.NDArray[np.float32], mask: npt.NDArray[np.uint8], body: Body, skew: float, slant: float
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float64], Body]:
    """The line of the ink (h, w), the map (2, 3) from the line to the ink's pixels, and the body in the line."""
    scale = BODY / body.height
    if 1 / ALIKE <= scale <= ALIKE:
        scale = 1.0
    ys, xs = np.nonzero(mask)
    # Level first, then upright about the middle of the body: x' = s (x + slant (y' - middle)), y' = s (y - skew x).
    level = ys + 0.5 - skew * (xs + 0.5)
    middle = (body.top + body.bottom) / 2 - skew * mask.shape[1] / 2
    across = xs + 0.5 + slant * (level - middle)
    height, width = np.ptp(level) + 1, np.ptp(across) + 1
    scale = min(scale, (MAX_HEIGHT - 2 * MARGIN) / height, (MAX_WIDTH - 2 * MARGIN) / width)
    left, top = across.min() - 0.5 - MARGIN / scale, level.min() - 0.5 - MARGIN / scale
    forward = scale * np.array(
        [[1 - slant * skew, slant, -slant * middle - left], [-skew, 1.0, -top]]
    )  # ink's (x, y, 1) -> the line's, pixel i from i to i + 1
    size = (
        max(1, min(MAX_WIDTH, int(np.ceil(scale * width + 2 * MARGIN)))),
        max(1, min(MAX_HEIGHT, int(np.ceil(scale * height + 2 * MARGIN)))),
    )
    source, at = ink, np.eye(2, 3)
    if scale < 0.7:  # bilinear interpolation alone would skip pixels
        small = max(1, round(ink.shape[1] * scale)), max(1, round(ink.shape[0] * scale))
        source = cv2.resize(ink, small, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        at = np.array([[ink.shape[1] / small[0], 0, 0], [0, ink.shape[0] / small[1], 0]])
    matrix = _about_centres(_chained(forward, at))
    line = cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32, copy=False)
    backward = cv2.invertAffineTransform(forward)
    _, stats = _without_specks((line > 0.5).astype(np.uint8))
    found = body_of(stats)
    return line, backward, found if found is not None else Body(0.0, float(size[1]))


def _chained(outer: npt.NDArray[np.float64], inner: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The map (2, 3) that first does `inner`, then `outer`."""
    full: npt.NDArray[np.float64] = outer @ np.vstack((inner, (0, 0, 1)))
    return full


def _about_centres(matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The same map (2, 3) where pixel i's centre is i, as OpenCV has it, and not i + 0.5."""
    centred = matrix.copy()
    centred[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5
    return centred
