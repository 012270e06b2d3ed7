"""A line as the network that reads lines is shown it."""

import cv2
import numpy as np
import pytest
from field_pictures import amount

from app.fields.line import Line, clean
from app.fields.strip import BODY_ROWS, MAX_COLUMNS, ROWS, strip


def line_of(ink: np.ndarray, top: float, bottom: float) -> Line:
    return Line(ink.astype(np.float32), np.eye(2, 3), top, bottom, "dark_on_light", 0.0, 0.0, (), 0)


@pytest.mark.parametrize("body", [13, 26, 40, 64, 100])
def test_the_body_has_twenty_rows_in_the_middle(body: int) -> None:
    """However high the digits are in the line."""
    ink = np.zeros((128, 300))
    ink[14 : 14 + body, 30:270] = 1
    found = strip(line_of(ink, 14, 14 + body))
    assert found.shape[0] == ROWS
    assert found.shape[1] % 2 == 0
    assert found.dtype == np.float32
    rows = np.flatnonzero(found.max(1) > 0.5)
    middle = ROWS / 2
    assert (rows[0], rows[-1] + 1) == pytest.approx((middle - BODY_ROWS / 2, middle + BODY_ROWS / 2), abs=1)
    columns = np.flatnonzero(found.max(0) > 0.5)
    assert len(columns) == pytest.approx(240 * BODY_ROWS / body, abs=2)


def test_ink_is_neither_lost_nor_made() -> None:
    """Made smaller, a line keeps its ink: each pixel of the strip is the mean of what it stands for."""
    line = clean(amount("1284"))
    scale = BODY_ROWS / (line.bottom - line.top)
    assert strip(line).sum() == pytest.approx(line.ink.sum() * scale**2, rel=0.03)


@pytest.mark.parametrize("shape", [(1, 1), (128, 8192), (128, 1), (1, 8192)])
@pytest.mark.parametrize("body", [(0.0, 0.0), (0.0, 1.0), (0.0, 128.0), (50.0, 51.0)])
def test_any_line_is_a_strip(shape: tuple[int, int], body: tuple[float, float]) -> None:
    """Bounded, without holes in its numbers, and of an even width, whatever the line is."""
    found = strip(line_of(np.ones(shape), *body))
    assert found.shape[0] == ROWS
    assert 0 < found.shape[1] <= MAX_COLUMNS
    assert found.shape[1] % 2 == 0
    assert np.all((found >= 0) & (found <= 1))


def test_a_line_is_shown_as_wide_as_it_is_high() -> None:
    """A round 0 stays round, but where the line is longer than the strip may be."""
    ink = np.zeros((60, 200), np.float32)
    cv2.circle(ink, (100, 30), 20, 1.0, -1)
    found = strip(line_of(ink, 10, 50))
    left, top, width, height = cv2.boundingRect((found > 0.5).astype(np.uint8))
    assert abs(width - height) <= 1
    assert left + width / 2 == pytest.approx(found.shape[1] / 2, abs=1)
    assert top + height / 2 == pytest.approx(ROWS / 2, abs=1)
