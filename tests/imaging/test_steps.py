"""app.imaging.steps: what is shown of the normalisation is the normalisation."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from app.imaging import normalize
from app.imaging.steps import steps

EXAMPLES = Path(__file__).parents[2] / "examples"


def pictures(digits: np.ndarray) -> list[np.ndarray]:
    """Digits as they are, in a corner of dark and of light sheets, faint, and photographed."""
    found = []
    for digit in digits[:8]:
        sheet = np.zeros((70, 120), np.uint8)
        sheet[40:68, 5:33] = digit
        found += [digit, sheet, 255 - sheet, sheet // 30, (sheet / 2 + 60).astype(np.float32)]
    return [*found, np.asarray(Image.open(EXAMPLES / "photo-of-a-4.jpg").convert("L"))]


def test_the_last_step_is_what_normalize_gives(digits):
    """For every picture the input and the reasons are those of `normalize`, and the box lies in it at its place."""
    for picture in pictures(digits):
        way, expected = steps(picture), normalize(picture)
        np.testing.assert_array_equal(way.normalized.input, expected.input)
        assert way.normalized.reasons == expected.reasons
        (top, left), (height, width) = way.place, way.box.shape
        np.testing.assert_array_equal(expected.input[0, top : top + height, left : left + width], way.box)


def test_what_is_found_holds_the_ink(digits):
    """Outside the box that was found there is next to no ink of a lone digit; ink is 0 to 1."""
    for picture in pictures(digits)[:-1]:
        way = steps(picture)
        x, y, width, height = way.found
        outside = way.ink.copy()
        outside[y : y + height, x : x + width] = 0
        assert outside.sum() < 0.03 * way.ink.sum()
        assert way.ink.min() >= 0
        assert way.ink.max() == pytest.approx(1)


def test_framed_shrinks_the_picture_as_it_lies():
    """A square in the lower right of a wide sheet is there in the input too, with the sheet's own proportions."""
    sheet = np.zeros((100, 200), np.uint8)
    sheet[80:100, 160:200] = 200
    framed = steps(sheet).framed[0]
    ys, xs = np.nonzero(framed > 0.5)
    assert (xs.min(), xs.max()) == (round(160 * 0.16), 31)
    assert (ys.min(), ys.max()) == (8 + round(80 * 0.16), 23)


def test_without_ink_nothing_is_found():
    """A blank picture has no box, an empty input and the reason blank."""
    way = steps(np.full((40, 50), 200, np.uint8))
    assert (way.found, way.box.size, way.normalized.reasons) == (None, 0, ("blank",))
    assert not way.framed.any()
    assert not way.normalized.input.any()
