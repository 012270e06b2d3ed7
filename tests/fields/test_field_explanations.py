"""The picture of how a field was read."""

from itertools import pairwise

import field_pictures
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from lenet5_client.schemas import ReadResponse
from PIL import ImageColor

from app.explain import explanation
from app.explain.panel import DOUBTFUL, GOOD, percent
from app.explain.strips import MOST_ROWS, strips
from app.explain.way import path_of
from app.fields import reader
from app.fields.calibration import FieldCalibration
from app.fields.cut_lines import cuts_of
from app.fields.formats import field_format
from app.fields.segmentation import Candidate, Segmentation
from app.imaging.parts import Box
from app.serving.field_answer import read_response
from app.serving.field_options import FieldOptions

WEIGHTS = FieldCalibration()
MODEL = {"name": "lenet5-field", "version": "1"}


def read(picture: np.ndarray, seed: int = 0, **options: object) -> tuple:
    """What `explanation` takes: a picture, read by a network that says anything, but nothing too surely."""
    asked = FieldOptions(**options)
    proposal = reader.propose(picture)
    logits = np.random.default_rng(seed).normal(0, 1, (len(proposal.inputs), 11))
    log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
    form = field_format(asked.kind)
    reading = reader.decode(proposal, log_probs, None, form, n_best=asked.n_best, weights=WEIGHTS, debug=True)
    answer = read_response(reading, proposal, form, asked, weights=WEIGHTS, model=MODEL)
    return picture, proposal, reading, ReadResponse.model_validate(answer)


@pytest.mark.parametrize("name", sorted(field_pictures.HOSTILE))
def test_any_picture_is_drawn(name):
    """Whatever was sent, and read or not, there is a picture 1000 pixels wide and of a height that can be looked at."""
    drawn = explanation(*read(field_pictures.HOSTILE[name]()))
    assert drawn.width == 1000
    assert 200 < drawn.height < 6000


def test_the_badge_says_whether_it_is_accepted():
    """Green on top where it is accepted, orange where it is not; another verdict is the only difference up there."""
    picture = field_pictures.amount("20468")
    for threshold, color in ((0, GOOD), (1, DOUBTFUL)):
        parts = read(picture, threshold=threshold)
        assert parts[3].accepted == (threshold == 0)
        assert explanation(*parts).getpixel((955, 45)) == ImageColor.getrgb(color)


@pytest.mark.parametrize("seed", range(12))
@pytest.mark.parametrize("kind", ["digits", "amount"])
def test_the_path_spells_the_text(kind, seed):
    """The path's segments in the text carry its characters in order, and what the path's symbol says of them."""
    _, proposal, reading, answer = read(field_pictures.amount("2046.81", touching=seed % 2 == 0), seed, kind=kind)
    path = path_of(proposal, reading, answer)
    spelt = [step for step in path if step.character is not None]
    assert [step.character.char for step in spelt if step.character.char != "."] == [*answer.text.replace(".", "")]
    assert all(step.character.char == step.symbol for step in spelt if step.character.char != ".")
    assert [step.candidate.start for step in path] == [0, *(step.candidate.stop for step in path[:-1])]


def candidate(start: int, stop: int, left: int, width: int) -> Candidate:
    """A block of ink, ten rows high."""
    ink = np.ones((10, width), np.float32)
    sizes = dict.fromkeys(("height", "width", "above", "below", "left_gap", "right_gap", "mass"), 1.0)
    return Candidate(start=start, stop=stop, box=Box(left, 3, left + width, 13), ink=ink, **sizes)


def test_a_cut_lies_between_what_it_parts():
    """Through ink where two pieces touch, in the middle of a gap else; taken where the path has both sides."""
    one, two, three = candidate(0, 1, 2, 8), candidate(1, 2, 10, 6), candidate(2, 3, 20, 5)
    both = candidate(0, 2, 2, 14)
    segmentation = Segmentation(3, (one, both, two, three), truncated=False)
    touching, apart = cuts_of(segmentation, [both, three])
    assert [x for x, _ in touching.points] == pytest.approx([10] * 10)
    assert [x for x, _ in apart.points] == pytest.approx([18] * 10)
    assert (touching.middle, apart.middle) == (pytest.approx(10), pytest.approx(18))
    assert [y for _, y in apart.points] == [row + 0.5 for row in range(3, 13)]
    assert (touching.through_ink, touching.taken) == (True, False)
    assert (apart.through_ink, apart.taken) == (False, True)


@given(
    width=st.integers(1, 20_000),
    height=st.integers(1, 20_000),
    least=st.floats(0.001, 30),
    breaks=st.lists(st.floats(0, 20_000), max_size=20),
)
def test_rows_hold_all_of_a_picture(width, height, least, breaks):
    """The rows go from the first column to the last, none is wider or higher than there is room for."""
    shown = strips(width, height, 936, highest=200, least=least, breaks=[at for at in breaks if at < width])
    assert shown.rows[0][0] == 0
    assert shown.rows[-1][1] == width
    assert all(one[1] == other[0] for one, other in pairwise(shown.rows))
    assert len(shown.rows) <= MOST_ROWS
    assert all((stop - start) * shown.scale <= 936 + 1e-6 for start, stop in shown.rows)
    assert height * shown.scale <= 200 + 1e-6


def test_rows_break_where_they_may():
    """A long picture is broken at the break that is nearest, the longest row fits, and one that fits is not broken."""
    shown = strips(2000, 40, 936, highest=200, least=0.9, breaks=[600, 960, 1400])
    assert shown.rows == ((0, 960), (960, 2000))
    assert shown.scale == pytest.approx(936 / 1040)
    assert strips(900, 40, 936, highest=200, least=0.9, breaks=[450]).rows == ((0, 900),)


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.0, "0 %"),
        (1e-9, "< 0.01 %"),
        (0.0034, "0.34 %"),
        (0.01, "1 %"),
        (0.6312, "63.1 %"),
        (0.9915, "99.15 %"),
        (0.99999, "> 99.99 %"),
        (1.0, "100 %"),
    ],
)
def test_probabilities_are_said_so_that_they_can_be_told_from_0_and_1(share, said):
    """More places near both ends, and never 0 or 100 % for what is neither."""
    assert percent(share) == said
