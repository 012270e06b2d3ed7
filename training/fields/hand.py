"""A string written by one hand: signs set side by side, as ink, with the truth about each.

Lengths are in heights of the hand's digits; the line that digits stand on is at 0, and what hangs below is positive.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.float32]

SHARPNESS = 0.7  # of an enlarged edge: how many levels of ink a pixel of the picture spans, times the enlargement
FAR = 10_000  # pixels: where a row without ink ends
SEEN = 0.3  # of full ink: what neighbours keep their distance from
UNDER = 0.35  # how far a digit may reach over its neighbour, where their rows leave room


@dataclass(frozen=True)
class Shape:
    """One sign before it is written: its ink, size and place."""

    char: str
    ink: Ink  # (h, w), 0..1, cut to its box
    height: float = 1.0
    below: float = 0.0  # the lower edge's distance under the line
    before: float = 0.0  # more ground to its left than between other signs


@dataclass(frozen=True)
class Hand:
    """How a string is written."""

    height: float = 40.0  # of its digits, in pixels
    gap: tuple[float, float] = (0.12, 0.4)  # between the ink of neighbours, along the worst row
    touching: float = 0.0  # share of neighbouring digits that touch or overlap by up to `overlap`
    overlap: float = 0.04
    raised: float = 0.03  # standard deviation of a sign's place above or under the line
    varied: float = 0.06  # the same of the natural logarithm of its size
    slant_degrees: float = 0.0  # to the right
    skew_degrees: float = 0.0  # of the line, falling to the right
    edge: float = 0.45  # of full ink: where a stroke ends, 0.25 for a broad pen and 0.65 for a fine one
    margins: tuple[float, float, float, float] = (0.3, 0.3, 0.3, 0.3)  # left, top, right, bottom


@dataclass(frozen=True)
class Sign:
    """One sign where it was written."""

    char: str
    left: int
    top: int
    ink: Ink  # (h, w), 0..1, cut to its box

    @property
    def box(self) -> tuple[int, int, int, int]:
        """Left, top, right, bottom in pixels."""
        height, width = self.ink.shape
        return self.left, self.top, self.left + width, self.top + height

    def on(self, shape: tuple[int, int]) -> Ink:
        """Its ink alone on a ground (h, w)."""
        sheet = np.zeros(shape, np.float32)
        left, top, right, bottom = self.box
        sheet[top:bottom, left:right] = self.ink
        return sheet


@dataclass(frozen=True)
class Written:
    """A line of signs: its ink is the strongest of theirs, pixel by pixel."""

    ink: Ink  # (h, w), 0..1
    signs: tuple[Sign, ...]  # from left to right

    @property
    def text(self) -> str:
        """What was written, marks and all."""
        return "".join(sign.char for sign in self.signs)

    @property
    def digits(self) -> str:
        """The digits alone."""
        return "".join(char for char in self.text if char.isdigit())


def write(shapes: Sequence[Shape], hand: Hand, rng: np.random.Generator) -> Written:
    """Write the shapes in a row as `hand` does it."""
    placed: list[Sign] = []
    fall = math.tan(math.radians(hand.skew_degrees))
    for shape in shapes:
        ink, left, top = _drawn(shape, hand, rng)
        if placed:
            digits = shape.char.isdigit() and placed[-1].char.isdigit()
            touches = digits and rng.random() < hand.touching
            gap = -rng.uniform(0, hand.overlap) if touches else rng.uniform(*hand.gap) + shape.before
            top += round(placed[-1].box[2] * fall)
            reach = round(UNDER * hand.height) if digits else 0
            left = _next_to(placed[-1], ink, top, round(gap * hand.height), reach)
        placed.append(Sign(shape.char, left, top, ink))
    return _framed(placed, hand)


def _drawn(shape: Shape, hand: Hand, rng: np.random.Generator) -> tuple[Ink, int, int]:
    """A shape's ink at its size and slant, cut to its box, and where that lies: left and top from the line's start."""
    size = hand.height * shape.height * math.exp(rng.normal(0, hand.varied))
    ink = shape.ink
    if (times := size / ink.shape[0]) < 0.7:
        small = max(1, round(ink.shape[1] * times)), max(1, round(ink.shape[0] * times))
        ink = cv2.resize(ink, small, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
    height, width = ink.shape
    scale = size / height
    lowered = hand.height * (shape.below + rng.normal(0, hand.raised))
    shear, turn = math.tan(math.radians(hand.slant_degrees)), math.radians(hand.skew_degrees)
    # pixel -> from the middle of the foot, enlarged and lowered -> slanted -> turned with the line
    enlarged = np.array([[scale, 0, -scale * (width - 1) / 2], [0, scale, lowered - scale * (height - 0.5)], [0, 0, 1]])
    slanted = np.array([[1, -shear, 0], [0, 1, 0], [0, 0, 1]])
    turned = np.array([[math.cos(turn), -math.sin(turn), 0], [math.sin(turn), math.cos(turn), 0], [0, 0, 1]])
    matrix = turned @ slanted @ enlarged
    corners = matrix @ np.array([[-2, width + 1, -2, width + 1], [-2, -2, height + 1, height + 1], [1, 1, 1, 1]])
    left, top = np.floor(corners[:2].min(1)).astype(int).tolist()
    right, bottom = np.ceil(corners[:2].max(1)).astype(int).tolist()
    matrix[:2, 2] -= left, top
    soft = cv2.warpAffine(ink, matrix[:2], (right - left + 1, bottom - top + 1), flags=cv2.INTER_CUBIC)
    edge = min(hand.edge, 0.8 * float(soft.max()))  # a pale sign is written too
    sharp = np.clip((soft - edge) * max(1.0, scale * SHARPNESS) + 0.5, 0, 1) * (soft > 0.02)
    x, y, across, down = cv2.boundingRect((sharp > 0.1).astype(np.uint8))
    return sharp[y : y + down, x : x + across].astype(np.float32, copy=False), left + x, top + y


def _next_to(before: Sign, ink: Ink, top: int, gap: int, reach: int) -> int:
    """Where ink at a height `top` begins, for `gap` pixels of ground to the sign before it along their closest row.

    Its box overlaps that sign's by no more than `reach` pixels, unless it is to touch (`gap` of 0 or less).
    """
    first = min(before.top, top) - max(gap, 0)
    rows = max(before.box[3], top + ink.shape[0]) + max(gap, 0) - first
    right, left = np.full(rows, -FAR), np.full(rows, FAR)
    seen = before.ink > SEEN
    some = seen.any(1)
    ends = before.left + seen.shape[1] - seen[:, ::-1].argmax(1)
    right[before.top - first :][: seen.shape[0]] = np.where(some, ends, -FAR)
    seen = ink > SEEN
    some = seen.any(1)
    left[top - first :][: seen.shape[0]] = np.where(some, seen.argmax(1), FAR)
    if gap > 0:  # rows near by count too, so that the ground between is as wide along a slope
        right = cv2.dilate(right.astype(np.float32)[:, None], np.ones((2 * (gap // 2) + 1, 1), np.uint8))[:, 0]
    wanted = int((right - left).max()) + gap
    nearest = before.box[2] - (ink.shape[1] + before.ink.shape[1]) // 2 if gap <= 0 else before.box[2] - reach
    return max(wanted, nearest)


def _framed(placed: Sequence[Sign], hand: Hand) -> Written:
    """The signs on a ground of their own, with the hand's margins round them."""
    boxes = np.array([sign.box for sign in placed])
    before_x, before_y, after_x, after_y = (round(margin * hand.height) for margin in hand.margins)
    left, top = int(boxes[:, 0].min()) - before_x, int(boxes[:, 1].min()) - before_y
    right, bottom = int(boxes[:, 2].max()) + after_x, int(boxes[:, 3].max()) + after_y
    ink = np.zeros((bottom - top, right - left), np.float32)
    signs = tuple(Sign(sign.char, sign.left - left, sign.top - top, sign.ink) for sign in placed)
    for sign in signs:
        x, y, end_x, end_y = sign.box
        np.maximum(ink[y:end_y, x:end_x], sign.ink, out=ink[y:end_y, x:end_x])
    return Written(ink, signs)
