"""The laws of the segmentation graph: connected, bounded, and every digit a candidate of one path."""

import numpy as np
import pytest
from field_pictures import HOSTILE, amount, boxes_of

from app.fields.line import clean
from app.fields.segmentation import MAX_CANDIDATES, MAX_PIECES, Segmentation, inputs, segment


def a_path_leads_through(found: Segmentation) -> bool:
    reached = {0}
    for candidate in found.candidates:  # by start
        if candidate.start in reached:
            reached.add(candidate.stop)
    return found.pieces in reached


@pytest.mark.parametrize("name", HOSTILE)
def test_any_picture_gives_a_connected_bounded_graph_of_finite_numbers(name):
    """Whatever the picture, every piece is a candidate, some path leads through, and the bounds hold."""
    found = segment(clean(HOSTILE[name]()))

    assert found.pieces <= MAX_PIECES
    assert len(found.candidates) <= MAX_CANDIDATES
    assert a_path_leads_through(found)
    assert {c.start for c in found.candidates if c.stop == c.start + 1} == set(range(found.pieces))
    x = inputs(found)
    assert x.shape == (len(found.candidates), 1, 32, 32)
    assert np.isfinite(x).all()
    assert x.min(initial=0) >= 0
    assert x.max(initial=0) <= 1


def test_candidates_are_runs_of_pieces_cut_to_their_ink():
    """A candidate's box is its pieces' boxes joined, its ink is theirs alone, and it has ink on all four sides."""
    found = segment(clean(amount("20468", touching=True)))
    single = {c.start: c for c in found.candidates if c.stop == c.start + 1}

    for candidate in found.candidates:
        box, mass = single[candidate.start].box, 0.0
        for piece in range(candidate.start, candidate.stop):
            box = box.joined(single[piece].box)
            mass += float(single[piece].ink.sum())
        assert candidate.box == box
        assert candidate.ink.shape == (box.bottom - box.top, box.right - box.left)
        assert float(candidate.ink.sum()) == pytest.approx(mass, rel=1e-4)
    keys = [(c.start, c.stop) for c in found.candidates]
    assert keys == sorted(set(keys))


@pytest.mark.parametrize("touching", [False, True])
@pytest.mark.parametrize("text", ["20468", "35791", "00000", "77777", "86420"])
def test_every_digit_is_a_candidate_on_one_path(text, touching):
    """Digits, apart or touching, are candidates that follow one another."""
    picture = amount(text, touching=touching)
    line = clean(picture)
    found = segment(line)

    reached = {0}
    for truth in boxes_of(text, touching=touching):
        alike = [c for c in found.candidates if c.start in reached and overlap(line, c, truth) > 0.75]
        reached = {c.stop for c in alike}
        assert alike, truth


def overlap(line, candidate, truth) -> float:
    """Intersection over union of a candidate's box, in the picture's pixels, and a true one."""
    ys, xs = np.nonzero(candidate.ink > 0.4)
    points = np.stack((xs + candidate.box.left + 0.5, ys + candidate.box.top + 0.5, np.ones(len(xs))))
    x, y = line.to_picture @ points
    left, top, right, bottom = truth
    across = min(x.max(), right) - max(x.min(), left)
    down = min(y.max(), bottom) - max(y.min(), top)
    both = max(across, 0) * max(down, 0)
    return both / (np.ptp(x) * np.ptp(y) + (right - left) * (bottom - top) - both)
