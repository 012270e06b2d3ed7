"""The laws of a line: bounds on any picture, the same for inverted ones, rules out, the body where the digits are."""

import numpy as np
import pytest
from field_pictures import HOSTILE, amount, boxes_of

from app.fields.line import MAX_HEIGHT, MAX_WIDTH, clean


@pytest.mark.parametrize("name", HOSTILE)
def test_any_picture_gives_a_bounded_finite_line(name):
    """Whatever the picture, the line keeps its bounds, and its numbers are finite and in range."""
    line = clean(HOSTILE[name]())

    assert line.ink.dtype == np.float32
    assert line.ink.shape[0] <= MAX_HEIGHT
    assert line.ink.shape[1] <= MAX_WIDTH
    assert np.isfinite(line.ink).all()
    assert line.ink.min() >= 0
    assert line.ink.max() <= 1
    assert np.isfinite(line.to_picture).all()
    assert line.bottom > line.top


@pytest.mark.parametrize("level", [0, 90, 255])
def test_one_level_of_gray_is_blank(level):
    """A picture without ink gives zeros and says so."""
    line = clean(np.full((40, 120), level, np.uint8))

    assert line.reasons == ("blank",)
    assert not line.ink.any()


@pytest.mark.parametrize("text", ["20468", "11111", "7"])
def test_the_inverted_picture_gives_the_same_line(text):
    """Light ink on a dark ground is the same line to the last bit, and its polarity is told."""
    dark, light = clean(amount(text)), clean(255 - amount(text))

    assert (dark.polarity, light.polarity) == ("dark_on_light", "light_on_dark")
    np.testing.assert_array_equal(dark.ink, light.ink)
    np.testing.assert_array_equal(dark.to_picture, light.to_picture)


def test_the_body_of_the_digits_is_where_they_were_drawn():
    """The line's body, mapped back, is the digits' common box."""
    line = clean(amount("20468"))
    boxes = np.array(boxes_of("20468"))
    middle = line.ink.shape[1] / 2

    top = (line.to_picture @ (middle, line.top, 1))[1]
    bottom = (line.to_picture @ (middle, line.bottom, 1))[1]

    assert top == pytest.approx(np.median(boxes[:, 1]), abs=2)
    assert bottom == pytest.approx(np.median(boxes[:, 3]), abs=2)


def test_the_body_does_not_follow_a_point():
    """Specks and points move neither the top nor the foot of the digits."""
    plain = amount("20468")
    dotted = plain.copy()
    dotted[70:75, 60:65] = 0

    heights = [clean(picture).bottom - clean(picture).top for picture in (plain, dotted)]

    assert heights[0] == pytest.approx(heights[1], abs=1.5)


@pytest.mark.parametrize("row", [70, 74])
def test_a_printed_rule_is_taken_out(row):
    """A rule under the digits leaves no ink behind, and the digits keep theirs."""
    plain = amount("20468")
    ruled = plain.copy()
    ruled[row : row + 2] = 60

    line, without = clean(ruled), clean(plain)

    assert line.rules == 1
    assert line.bottom - line.top == pytest.approx(without.bottom - without.top, abs=2)
    assert float(line.ink.sum()) == pytest.approx(float(without.ink.sum()), rel=0.1)


def test_uneven_light_and_paper_texture_are_ground():
    """A gradient of light and a fine pattern leave the line of the clean picture."""
    clear = amount("20468")
    rows, columns = np.indices(clear.shape)
    paper = 170 + 60 * columns / clear.shape[1] + 10 * np.sin(rows * 1.3 + columns * 0.2)
    picture = (paper * (0.25 + 0.75 * clear / 255)).astype(np.uint8)

    line, reference = clean(picture), clean(clear)

    assert line.ink.shape == pytest.approx(reference.ink.shape, abs=3)
    assert float((line.ink > 0.5).sum()) == pytest.approx(float((reference.ink > 0.5).sum()), rel=0.12)
