"""Long lines in rows: how large a picture is shown, and where it is broken."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

LARGEST: Final = 5.0  # times its own size
MOST_ROWS: Final = 12


@dataclass(frozen=True)
class Strips:
    """A picture in rows of the width that there is."""

    scale: float
    rows: tuple[tuple[int, int], ...]  # first column of each, and the one after its last


def strips(
    width: int, height: int, room: float, *, highest: float, least: float, breaks: Sequence[float] = ()
) -> Strips:
    """How a picture of `width` x `height` is shown on `room` columns and, each row, at most `highest` rows.

    `least` is the scale below which it is broken rather than shown smaller, `breaks` where it is best broken.
    """
    rows = min(max(math.ceil(width * min(least, LARGEST, highest / height) / room), 1), MOST_ROWS)
    scale = min(LARGEST, highest / height, rows * room / width)
    ends = [_nearest(breaks, width * row / rows, width / rows / 4) for row in range(1, rows)]
    edges = [0, *ends, width]
    if rows > 1:  # the longest row has the room
        longest = max(stop - start for start, stop in pairwise(edges))
        scale = min(scale, room / longest)
    return Strips(scale, tuple(pairwise(edges)))


def _nearest(breaks: Sequence[float], place: float, reach: float) -> int:
    """The break nearest to a place, or the place itself where none is within reach."""
    nearest = min(breaks, key=lambda at: abs(at - place), default=place)
    return round(nearest if abs(nearest - place) < reach else place)
