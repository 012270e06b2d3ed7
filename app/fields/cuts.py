"""Where characters that touch may be parted: cheapest paths through the ink from the top of a piece to its foot.

A path costs the ink it crosses; going aside costs a little, so that it follows the ground between two characters and
crosses where the ink is thinnest. All paths come out of one dynamic program over rows, once downwards and once upwards,
after Breuel, "Segmentation of handprinted letter strings using a dynamic programming algorithm", ICDAR 2001: there is a
cheapest path through every pixel, and those through three rows that cost less than their neighbours are proposals.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.float32]
Columns = npt.NDArray[np.int64]

ROWS = (0.25, 0.5, 0.75)  # of a canvas's height: through these rows paths are proposed
ASIDE = 0.15  # what a step aside costs, in pixels of ink
STEEP = 0.4  # of the ink's cost is added where a step through ink goes aside, for it is longer
OUTSIDE = np.float32(1e6)  # no path leaves its canvas


@dataclass(frozen=True)
class Paths:
    """Proposals to part the ink of a canvas (h, w), by where they pass."""

    cost: Ink  # (n,), pixels of ink crossed and what going aside cost
    columns: Columns  # (n, h): in each row, a path passes just left of this column
    passed: npt.NDArray[np.float64]  # (n, h): the ink of the row that is left of the path


def proposed_paths(ink: Ink, dearest: float) -> Paths:
    """The cheapest paths of a canvas of ink (h, w), no dearer than `dearest`."""
    height, width = ink.shape
    cost, steps = _accumulated(np.stack((ink, ink[::-1]), axis=1))
    down, came_from_above = cost[:, 0], steps[:, 0]
    up, came_from_below = cost[::-1, 1], steps[::-1, 1]
    costs, columns = [], []
    for row in sorted({min(height - 1, int(height * share)) for share in ROWS}):
        through = down[row] + up[row] - ink[row]
        lowest = np.ones(width, bool)
        lowest[1:] = through[1:] <= through[:-1]
        lowest[:-1] &= through[:-1] <= through[1:]
        starts = np.flatnonzero(lowest & (through <= dearest))
        path = np.empty((height, len(starts)), np.int64)
        path[row] = starts
        for at in range(row, 0, -1):
            path[at - 1] = path[at] + came_from_above[at][path[at]]
        for at in range(row, height - 1):
            path[at + 1] = path[at] + came_from_below[at][path[at]]
        costs.append(through[starts])
        columns.append(path.T)
    all_columns = np.concatenate(columns)
    running = np.zeros((height, width + 1))
    np.cumsum(ink, axis=1, out=running[:, 1:])
    passed = running[np.arange(height)[None], all_columns]
    return Paths(np.concatenate(costs), all_columns, passed)


def _accumulated(ink: Ink) -> tuple[Ink, npt.NDArray[np.int8]]:
    """What the cheapest path from the first row to each pixel costs, and from which column its last step came.

    `ink` (h, n, w) is that of n canvases, and so are both answers. The steps are -1, 0 or 1, to be added to a pixel's
    column for the row before.
    """
    height, canvases, width = ink.shape
    cost = np.empty_like(ink)
    cost[0] = ink[0]
    steps = np.zeros(ink.shape, np.int8)
    aside = ASIDE + STEEP * ink
    padded = np.full((canvases, width + 2), OUTSIDE, np.float32)
    for row in range(1, height):
        padded[:, 1:-1] = cost[row - 1]
        left, right = padded[:, :-2] + aside[row], padded[:, 2:] + aside[row]
        nearer = np.minimum(left, right)
        moves = nearer < cost[row - 1]
        steps[row] = np.where(moves, np.where(left <= right, -1, 1), 0)
        np.minimum(nearer, cost[row - 1], out=cost[row])
        cost[row] += ink[row]
    return cost, steps
