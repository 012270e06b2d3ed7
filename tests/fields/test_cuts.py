"""app.fields.cuts against the enumeration of all paths through small canvases."""

from itertools import pairwise, product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from app.fields.cuts import ASIDE, STEEP, Ink, proposed_paths

HEIGHT, WIDTH = 5, 4
ROWS = (1, 2, 3)  # a quarter, half and three quarters of the way down
PATHS = [path for path in product(range(WIDTH), repeat=HEIGHT) if all(abs(a - b) <= 1 for a, b in pairwise(path))]


def cost_of(ink: Ink, path: tuple[int, ...], through: int) -> float:
    """The ink that a path crosses, and each step aside at the row of its two that is nearer the row `through`."""
    total = sum(float(ink[row, column]) for row, column in enumerate(path))
    for row in range(HEIGHT - 1):
        nearer = row + 1 if row < through else row
        if path[row] != path[row + 1]:
            total += ASIDE + STEEP * float(ink[nearer, path[nearer]])
    return total


@settings(deadline=None, max_examples=60)
@given(arrays(np.float32, (HEIGHT, WIDTH), elements=st.floats(0, 1, width=32)), st.floats(0.2, 3))
def test_proposals_are_the_cheapest_paths_through_their_pixels(ink: Ink, dearest: float) -> None:
    """Each proposal is a path that costs what it is said to, no more than asked, and no path through its pixel less."""
    found = proposed_paths(ink, dearest)
    for cost, columns, passed in zip(found.cost, found.columns.tolist(), found.passed, strict=True):
        path = tuple(columns)
        assert cost <= dearest
        assert path in PATHS
        assert passed == pytest.approx([ink[row, :column].sum() for row, column in enumerate(path)], abs=1e-5)
        least = [min(cost_of(ink, p, row) for p in PATHS if p[row] == path[row]) for row in ROWS]
        assert any(
            cost == pytest.approx(cost_of(ink, path, row), abs=1e-5) and cost == pytest.approx(lowest, abs=1e-5)
            for row, lowest in zip(ROWS, least, strict=True)
        )


@settings(deadline=None, max_examples=60)
@given(arrays(np.float32, (HEIGHT, WIDTH), elements=st.floats(0, 1, width=32)))
def test_the_cheapest_path_of_all_is_proposed(ink: Ink) -> None:
    """Where paths may cost anything, the cheapest through each of the three rows is among the proposals."""
    found = proposed_paths(ink, 1e3)
    for row in ROWS:
        assert found.cost.min() <= min(cost_of(ink, path, row) for path in PATHS) + 1e-5
