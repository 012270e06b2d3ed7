"""Printed rules and boxes: long straight lines of even thickness, taken out without breaking what crosses them."""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

Mask = npt.NDArray[np.uint8]

LONG = 1.2  # of the picture's height: no stroke of a character is as long
WIDE = 0.5  # of the picture's width: a rule that leaves the picture is at least as long...
WHOLE = 0.8  # ...and one that does not, as this
FREE, FREE_AT_EDGE = 0.7, 0.3  # of a rule's length stands alone, with no ink above it or below; less at an edge
PAD = 64  # rows
NEAR_BORDER = 3  # pixels
THIN = 0.12  # of the picture's height: no rule is thicker...
EDGED = 0.2  # ...but at the picture's upper or lower edge, where what lies beyond it may be printed too
EDGE = 0.25  # of the picture's height: so far that edge reaches
PROBE = 0.3  # of the picture's height: a rule is found by straight runs as long as this
BRIDGED = 3  # pixels that a rule may be broken by
COVERED = 0.87  # of a rule's length has ink; where it only links the feet of characters, less has
STRAIGHT = 1.5  # pixels that a rule may leave its straight line by, or its own thickness where that is more
UPRIGHT = 0.8  # of the space between two rules: a straight line as high as that is the side of a box
SIDE_SLOPE = 0.12  # pixels across per pixel down: the side of a box is this upright


@dataclass(frozen=True)
class Rules:
    """A mask (h, w) of ink without its rules, and their slope."""

    mask: Mask
    found: int
    slope: float | None  # pixels down per pixel to the right; None where there is no rule


@dataclass(frozen=True)
class _Rule:
    slope: float
    offset: float  # y = slope x + offset
    left: int
    right: int
    thickness: float  # pixels


def without_rules(mask: Mask) -> Rules:
    """The mask (h, w; 1 where there is ink) without long level rules, and without the sides of boxes between them."""
    height, width = mask.shape
    shortest = LONG * height
    if shortest > width or min(height, width) < 8:
        return Rules(mask, 0, None)
    found = _level_rules(mask, shortest)
    if not found:
        return Rules(mask, 0, None)
    left = mask.copy()
    for rule in found:
        _take_out(left, mask, rule)
    sides = _sides(mask, found)
    if sides is not None:
        left[sides > 0] = 0
    weights = [rule.right - rule.left for rule in found]
    return Rules(left, len(found), float(np.average([rule.slope for rule in found], weights=weights)))


def _level_rules(mask: Mask, shortest: float) -> list[_Rule]:
    height, width = mask.shape
    probe = max(5, round(PROBE * height))
    bridged = cv2.morphologyEx(mask, cv2.MORPH_CLOSE, np.ones((1, BRIDGED), np.uint8))
    runs = cv2.morphologyEx(bridged, cv2.MORPH_OPEN, np.ones((1, probe), np.uint8))
    linked = cv2.dilate(runs, np.ones((3, 5), np.uint8))
    _, labels, stats, _ = cv2.connectedComponentsWithStats(linked, connectivity=8)
    thickened = cv2.dilate(mask, np.ones((5, 1), np.uint8))
    padded = cv2.copyMakeBorder(mask, PAD, PAD, 0, 0, cv2.BORDER_CONSTANT, value=(0,))
    rules = []
    for label in np.flatnonzero(stats[:, cv2.CC_STAT_WIDTH] >= shortest):
        if label == 0:
            continue
        ys, xs = np.nonzero((labels == label) & (runs > 0))
        covered = np.bincount(xs, minlength=width)
        columns = np.flatnonzero(covered)
        if len(columns) < 0.8 * shortest:
            continue
        thickness = float(np.percentile(covered[columns], 30))
        centres = np.bincount(xs, weights=ys, minlength=width)[columns] / covered[columns]
        slope, offset = _line_through(columns.astype(np.float64), centres)
        away = np.abs(centres - (slope * columns + offset))
        straight = float((away <= max(STRAIGHT, thickness)).mean())
        line = np.clip(np.rint(slope * columns + offset).astype(np.int64), 0, height - 1)
        span = int(columns[-1]) + 1 - int(columns[0])
        seen = float(thickened[line, columns].sum()) / span
        leaves = columns[0] <= NEAR_BORDER or columns[-1] >= width - 1 - NEAR_BORDER
        long = span >= (WIDE if leaves else WHOLE) * width
        middle = slope * width / 2 + offset
        thickest = EDGED if min(middle, height - 1 - middle) < EDGE * height else THIN
        beyond = round(thickness / 2) + 2
        free = 1 - np.maximum(padded[line + PAD - beyond, columns], padded[line + PAD + beyond, columns])
        enough = FREE_AT_EDGE if thickest == EDGED else FREE
        if (
            long
            and seen >= COVERED
            and float(free.mean()) >= enough
            and thickness <= max(3.0, thickest * height)
            and straight > 0.75
            and abs(slope) < 0.2
        ):
            rules.append(_Rule(slope, offset, int(columns[0]), int(columns[-1]) + 1, thickness))
    return rules


def _line_through(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> tuple[float, float]:
    """Slope and offset of the line through most of the points (n,): least squares, repeated on the nearer half."""
    kept = np.ones(len(x), bool)
    slope = offset = 0.0
    for _ in range(4):
        slope, offset = np.polyfit(x[kept], y[kept], 1) if kept.sum() > 2 and np.ptp(x[kept]) > 0 else (0.0, y.mean())
        away = np.abs(y - (slope * x + offset))
        kept = away <= max(float(np.median(away)), 0.75)
    return float(slope), float(offset)


def _take_out(left: Mask, mask: Mask, rule: _Rule) -> None:
    """Clear a rule's pixels in `left`, except where ink goes on both above and below it: there a stroke crosses."""
    height = len(mask)
    half = rule.thickness / 2 + 1.0
    for x in range(rule.left, rule.right):
        middle = rule.slope * x + rule.offset
        first, last = max(0, int(np.floor(middle - half + 0.5))), min(height - 1, int(np.ceil(middle + half - 0.5)))
        if first > last:
            continue
        beside = slice(max(0, x - 1), x + 2)
        above = first > 0 and mask[first - 1, beside].any()
        below = last < height - 1 and mask[last + 1, beside].any()
        if not (above and below):
            left[first : last + 1, x] = 0


def _sides(mask: Mask, rules: list[_Rule]) -> Mask | None:
    """The upright sides of boxes, (h, w): straight lines from one rule to the next; None where no two rules part them.

    A 1 between two rules is as straight, but it seldom reaches both.
    """
    height, width = mask.shape
    middles = sorted(rule.slope * width / 2 + rule.offset for rule in rules)
    space = middles[-1] - middles[0]
    if len(rules) < 2 or space < 0.4 * height:
        return None
    long = max(5, round(UPRIGHT * space))
    joined = cv2.dilate(mask, np.ones((1, 3), np.uint8))
    runs = cv2.morphologyEx(joined, cv2.MORPH_OPEN, np.ones((long, 1), np.uint8))
    count, labels, stats, _ = cv2.connectedComponentsWithStats(runs, connectivity=8)
    sides = np.zeros_like(mask)
    for label in range(1, count):
        across = stats[label, cv2.CC_STAT_WIDTH]
        if stats[label, cv2.CC_STAT_HEIGHT] >= 0.9 * space and across <= max(5.0, SIDE_SLOPE * space + 3):
            sides[labels == label] = 1
    return sides
