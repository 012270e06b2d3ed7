"""What candidates are said to be, on cases where it is plain."""

from collections.abc import Sequence

import field_material
import numpy as np
import pytest

from app.fields.line import Line, clean
from app.fields.segmentation import Candidate, segment
from app.imaging.parts import Box
from training.datasets import RUBBISH
from training.datasets.cheque_amounts import Amount
from training.fields import kinds, labels
from training.fields.hand import Hand, Ink, Sign, Written, write
from training.fields.labels import UNCLEAR


def line_of(ink: Ink) -> Line:
    """A line that is the picture itself."""
    height = float(ink.shape[0])
    return Line(ink, np.eye(2, 3), 0.0, height, "dark_on_light", 0.0, 0.0, (), 0)


def candidate(ink: Ink) -> Candidate:
    """All of the ink (h, w) of a picture as one candidate."""
    rows, columns = np.nonzero(ink > 0)
    box = Box(int(columns.min()), int(rows.min()), int(columns.max()) + 1, int(rows.max()) + 1)
    cut = ink[box.top : box.bottom, box.left : box.right]
    return Candidate(0, 1, box, cut, 1, 1, 0, 0, 1, 1, float(cut.mean()))


def candidates_of(written: Written, parts: Sequence[tuple[Sign, ...]]) -> list[Candidate]:
    return [candidate(np.stack([sign.on(written.ink.shape) for sign in part]).max(0)) for part in parts]


@pytest.fixture(scope="module")
def written() -> Written:
    """3 8 . 5 / 0 -, apart from one another."""
    rng = np.random.default_rng(0)
    marks = field_material.marks()
    digits = {char: field_material.writers().write(char, rng)[0] for char in "3850"}
    shapes = [digits[char] if char.isdigit() else marks.write(char, rng) for char in "38.5/0-"]
    return write(shapes, Hand(gap=(0.2, 0.3)), rng)


def test_whole_signs_are_what_they_are(written: Written) -> None:
    """A digit is that digit and a mark is no digit; of a slash, which looks like a 1, nothing is said."""
    found = labels.of_written(written, line_of(written.ink), candidates_of(written, [(s,) for s in written.signs]))
    assert found.tolist() == [3, 8, RUBBISH, 5, UNCLEAR, 0, RUBBISH]


def test_pairs_and_parts_are_no_digit(written: Written) -> None:
    """Two digits, a digit and a half, or half a digit: not exactly one whole digit."""
    three, eight, *_ = written.signs
    half = Sign("8", eight.left, eight.top, eight.ink[:, : eight.ink.shape[1] // 2])
    found = labels.of_written(
        written, line_of(written.ink), candidates_of(written, [(three, eight), (three, half), (half,)])
    )
    assert found.tolist() == [RUBBISH] * 3


def test_a_digit_that_lost_a_little_is_unclear_unless_there_is_no_better_one(written: Written) -> None:
    """Nine tenths of a digit teach only where the whole is not offered."""
    eight = written.signs[1]
    rows = np.cumsum(eight.ink.sum(1)) / eight.ink.sum()
    most = Sign("8", eight.left, eight.top, eight.ink[: int(np.searchsorted(rows, 0.9))])
    line = line_of(written.ink)
    assert labels.of_written(written, line, candidates_of(written, [(eight,), (most,)])).tolist() == [8, UNCLEAR]
    assert labels.of_written(written, line, candidates_of(written, [(most,)])).tolist() == [8]


def test_what_the_line_lost_teaches_nothing(written: Written) -> None:
    """A digit whose ink was cleaned away is not learnt from what is left of it."""
    three = written.signs[0]
    x, y, right, bottom = three.box
    ink = written.ink.copy()
    ink[y : y + int(0.6 * (bottom - y)), x:right] = 0
    left = np.zeros_like(ink)
    left[y:bottom, x:right] = ink[y:bottom, x:right]
    assert labels.of_written(written, line_of(ink), [candidate(left)]).tolist() == [UNCLEAR]


def test_a_line_of_another_size_and_place_is_found_again(written: Written) -> None:
    """The truth follows the line's map to the picture."""
    twice = np.repeat(np.repeat(written.ink, 2, 0), 2, 1)
    doubled = Line(twice, np.array([[0.5, 0, 0], [0, 0.5, 0]]), 0, 80, "dark_on_light", 0, 0, (), 0)
    large = [np.repeat(np.repeat(sign.on(written.ink.shape), 2, 0), 2, 1) for sign in written.signs]
    assert labels.of_written(written, doubled, [candidate(ink) for ink in large]).tolist() == [
        3, 8, RUBBISH, 5, UNCLEAR, 0, RUBBISH,
    ]  # fmt: skip


def test_boxes_tell_the_digits_of_a_cheque(written: Written) -> None:
    """With boxes round the digits alone, whole digits, marks, pairs and halves are told as well."""
    boxes = [sign.box for sign in written.signs if sign.char.isdigit()]
    wide = np.array([(x, y, right - x, bottom - y) for x, y, right, bottom in boxes], np.float32)
    picture = np.rint(255 * (1 - written.ink)).astype(np.uint8)
    amount = Amount("made", picture, "3850", wide)
    three, eight, point, five, _slash, zero, _dash = written.signs
    half = Sign("0", zero.left, zero.top, zero.ink[: zero.ink.shape[0] // 2])
    parts = [(three,), (eight,), (point,), (five,), (zero,), (three, eight), (half,)]
    found = labels.of_amount(amount, line_of(written.ink), candidates_of(written, parts))
    assert found.tolist() == [3, 8, RUBBISH, 5, 0, RUBBISH, RUBBISH]


def test_the_segmentation_finds_nearly_every_digit_of_clean_fields() -> None:
    """Cleaned and segmented as in serving, a field gives a candidate for nearly every digit, with its label."""
    missed = total = 0
    for field in kinds.make({"clean ZIP": 1}, 25, field_material.sources(), 2):
        line = clean(field.picture)
        found = labels.of_written(field.written, line, segment(line).candidates)
        missed += len(set(field.digits) - set(map(str, found.tolist())))
        total += len(set(field.digits))
    assert missed <= 0.03 * total
