"""Where characters that touch may be parted: cheapest paths through the ink from the top of a piece to its foot.

A path costs the ink it crosses; going aside costs a little, so that it follows the ground between two characters and
crosses where the ink is thinnest. All paths of all pieces come out of one dynamic program over rows, after Breuel,
"Segmentation of handprinted letter strings using a dynamic programming algorithm", ICDAR 2001.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.float32]
Columns = npt.NDArray[np.int64]

ASIDE = 0.12  # what a step aside costs, in pixels of ink
STEEP = 0.4  # of the ink's cost is added where a step through ink goes aside, for it is longer
OUTSIDE = np.float32(1e6)  # no path leaves its canvas


@dataclass(frozen=True)
class Paths:
    """The cheapest path through every column of a canvas at its middle row."""

    cost: Ink  # (w,), pixels of ink crossed and what going aside cost
    columns: Columns  # (h, w): where the path through column x of the middle row is in each row; it lies left of it


def cheapest_paths(ink: Ink) -> Paths:
    """The cheapest top-to-bottom path through each column of the middle row of a canvas of ink, (h, w)."""
    height, width = ink.shape
    middle = height // 2
    above, steps_up = _accumulated(ink[: middle + 1])
    below, steps_down = _accumulated(ink[middle:][::-1])
    columns = np.empty((height, width), np.int64)
    columns[middle] = np.arange(width)
    for row in range(middle, 0, -1):
        columns[row - 1] = columns[row] + steps_up[row][columns[row]]
    for row in range(height - 1 - middle, 0, -1):
        columns[height - row] = columns[height - 1 - row] + steps_down[row][columns[height - 1 - row]]
    return Paths(above + below - ink[middle], columns)


def _accumulated(ink: Ink) -> tuple[Ink, npt.NDArray[np.int64]]:
    """The cost (w,) of the cheapest path from the first row to each column of the last, and where each step came from.

    The steps are (h, w): -1, 0 or 1 column in the row before.
    """
    height, width = ink.shape
    cost = ink[0].copy()
    steps = np.zeros((height, width), np.int64)
    aside = ASIDE + STEEP * ink
    padded = np.full(width + 2, OUTSIDE, np.float32)
    for row in range(1, height):
        padded[1:-1] = cost
        left, right = padded[:-2] + aside[row], padded[2:] + aside[row]
        nearer = np.minimum(left, right)
        moves = nearer < cost
        steps[row] = np.where(moves, np.where(left <= right, -1, 1), 0)
        cost = np.where(moves, nearer, cost) + ink[row]
    return cost, steps
