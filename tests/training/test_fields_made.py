"""Fields that are made: what is said of them is true."""

from dataclasses import replace

import cv2
import field_material
import numpy as np
import pytest

from app.fields.formats import field_format
from training.fields import kinds, nothing, signs
from training.fields.hand import Hand, write
from training.fields.kinds import KINDS, Sources
from training.fields.paper import CHEQUE, NOISY, PLAIN, Paper, on_paper


@pytest.fixture(scope="module")
def sources() -> Sources:
    return field_material.sources()


@pytest.mark.parametrize("kind", KINDS)
def test_the_signs_together_are_the_ink(sources: Sources, kind: str) -> None:
    """Pixel by pixel the line's ink is the strongest of its signs', each of which lies in the picture."""
    for field in kinds.make({kind: 1}, 12, sources, 1):
        shape = field.written.ink.shape
        assert field.picture.shape == shape
        alone = np.stack([sign.on(shape) for sign in field.written.signs])
        assert np.array_equal(alone.max(0), field.written.ink)
        assert alone.max((1, 2)).min() > 0.4


@pytest.mark.parametrize("paper", [PLAIN, NOISY, CHEQUE])
@pytest.mark.parametrize("inverted", [0, 1])
def test_the_picture_shows_the_ink_where_it_is(sources: Sources, paper: Paper, inverted: int) -> None:
    """On every paper ink is darker than the ground, or lighter where the field is light on dark."""
    for seed in range(20):
        rng = np.random.default_rng(seed)
        written = write(sources.writers.write("12345", rng), Hand(), rng)
        picture = on_paper(written.ink, 40, replace(paper, inverted=inverted), rng).astype(float)
        ink, ground = picture[written.ink > 0.9], picture[written.ink == 0]
        contrast = (ground.mean() - ink.mean()) / (ground.std() + ink.std() + 1)
        assert (-contrast if inverted else contrast) > 0.8


def test_digits_keep_their_distance_or_touch_as_asked(sources: Sources) -> None:
    """Without touching no two digits share a component of ink; with it nearly all neighbours do."""

    def pieces(hand: Hand) -> list[int]:
        counts = []
        for seed in range(20):
            rng = np.random.default_rng(seed)
            signs = write([field_material.ring(char) for char in "01234"], hand, rng).ink
            counts.append(cv2.connectedComponents((signs > 0.3).astype(np.uint8))[0] - 1)
        return counts

    slanted = Hand(gap=(0.1, 0.3), slant_degrees=15, skew_degrees=2, raised=0.1)
    assert pieces(slanted) == [5] * 20
    assert np.mean(pieces(Hand(touching=1, raised=0.1))) < 1.3


def test_a_string_is_written_by_one_writer(sources: Sources) -> None:
    """Every digit of a string comes from the same hundred pictures, and is the digit that it is said to be."""
    writers = field_material.writers()
    for seed in range(10):
        rng = np.random.default_rng(seed)
        shapes = writers.write("9075", rng)
        assert [shape.char for shape in shapes] == list("9075")
    place = {digit: index for by in writers.by for digit, index in by.items()}
    assert all((writers.digits.labels[index] == digit).all() for digit, index in place.items())
    assert all(len({int(i) // 100 for index in by.values() for i in index}) == 1 for by in writers.by)


def test_a_string_that_nobody_could_write_is_an_error() -> None:
    """A writer who wrote no 7 cannot write one."""
    few = field_material.writers(count=5)
    with pytest.raises(ValueError, match="no writer has all digits of 0123456789"):
        few.write("0123456789", np.random.default_rng(0))


def test_the_same_seed_makes_the_same_fields_and_more_are_only_more(sources: Sources) -> None:
    """A field depends on its seed and number alone."""
    mixed = {"clean ZIP": 0.5, "amount": 0.5}
    five, nine = kinds.make(mixed, 5, sources, 3), kinds.make(mixed, 9, sources, 3)
    assert all(np.array_equal(a.picture, b.picture) and a.text == b.text for a, b in zip(five, nine, strict=False))
    assert [a.text for a in five] != [a.text for a in kinds.make(mixed, 5, sources, 4)]


def test_an_amount_reads_as_it_is_written() -> None:
    """The reading is one that the format of amounts has, and has the written digits but for the hundred of xx/100."""
    form = field_format("amount")
    rng = np.random.default_rng(0)
    for _ in range(400):
        written, plain = kinds.amount_text(rng)
        assert form.valid(plain)
        digits = "".join(filter(str.isdigit, written.removesuffix("/100") if "/100" in written else written))
        assert digits.removesuffix("100" if "/" in written else "") == plain.replace(".", ""), written


def test_slant_and_skew_lean_as_they_say() -> None:
    """A slant to the right moves the head right of the foot; a skew lets the line fall to the right."""
    hand = Hand(slant_degrees=20, raised=0, varied=0)
    ink = write([field_material.ring()], hand, np.random.default_rng(0)).signs[0].ink
    centres = (ink * np.arange(ink.shape[1])).sum(1) / ink.sum(1).clip(1e-6)
    lean = np.degrees(np.arctan((centres[3] - centres[-4]) / (len(centres) - 7)))
    assert lean == pytest.approx(20, abs=2)
    line = write([field_material.ring()] * 8, Hand(skew_degrees=3, raised=0, varied=0), np.random.default_rng(0))
    first, last = line.signs[0].box, line.signs[-1].box
    assert np.degrees(np.arctan((last[3] - first[3]) / (last[0] - first[0]))) == pytest.approx(3, abs=0.3)


def test_marks_stand_where_marks_stand() -> None:
    """A point is small and on the line, a dash is at half height, a comma hangs under the line."""
    rng = np.random.default_rng(0)
    marks = field_material.marks()
    for _ in range(20):
        shapes = [field_material.ring(), *(marks.write(char, rng) for char in ".-,"), field_material.ring()]
        digit, point, dash, comma, _last = write(shapes, Hand(raised=0, varied=0), rng).signs
        height, foot = digit.box[3] - digit.box[1], digit.box[3]
        assert abs(point.box[3] - foot) < 0.12 * height
        assert digit.box[1] + 0.3 * height < dash.box[3] < foot - 0.2 * height
        assert comma.box[3] > foot + 0.04 * height
        assert point.ink.shape[0] < 0.3 * height


def test_held_out_writers_and_marks_are_not_learnt_from(monkeypatch: pytest.MonkeyPatch) -> None:
    """No picture is on both sides, nor is any writer."""
    monkeypatch.setattr("training.datasets.mnist.writers", lambda _: (np.arange(60_000) // 100).astype(np.int32))
    learnt, held_out = (signs.writers(None, held_out=part) for part in (False, True))
    index = [{int(i) for by in one.by for part in by.values() for i in part} for one in (learnt, held_out)]
    assert not index[0] & index[1]
    assert not {i // 100 for i in index[0]} & {i // 100 for i in index[1]}
    assert sum(map(len, index)) == 60_000


@pytest.mark.parametrize("kind", [kind for kind in nothing.NOTHING if kind != "letters"])
def test_pictures_of_nothing_differ_and_are_repeatable(kind: str) -> None:
    """Each kind gives gray pictures, others for other seeds."""
    one, same, other = (nothing.make(kind, 6, None, seed) for seed in (1, 1, 2))
    assert all(picture.dtype == np.uint8 and picture.ndim == 2 and picture.size > 500 for picture in one)
    assert [p.tobytes() for p in one] == [p.tobytes() for p in same]
    assert not {p.tobytes() for p in one} & {p.tobytes() for p in other}
