"""What the network is shown of a candidate, and what its answers are merged to."""

import numpy as np

from app.fields.views import MOVED, VIEWS, merged, views


def test_a_candidate_is_shown_as_it_is_and_moved_to_either_side():
    """The first views are the inputs; the ink's centre moves by so many pixels, and no ink is lost within the frame."""
    inputs = np.zeros((2, 1, 32, 32), np.float32)
    inputs[0, 0, 8:24, 10:20] = 1
    inputs[1, 0, 5:9, 15] = 0.5
    shown = views(inputs)
    assert shown.shape == (2 * VIEWS, 1, 32, 32)
    assert np.array_equal(shown[:2], inputs)
    across = np.arange(32)
    for index in range(2):
        centres = [(one[0] * across).sum() / one.sum() for one in shown[index::2]]
        assert np.allclose(centres, np.array([0, MOVED, -MOVED]) + centres[0], atol=1e-4)
        assert np.allclose([one.sum() for one in shown[index::2]], inputs[index].sum(), rtol=1e-5)


def test_answers_to_views_are_averaged_candidate_by_candidate():
    """The mean of the log-probabilities, which sum to one again; no candidates give no answers."""
    of_views = np.random.default_rng(0).normal(size=(VIEWS, 4, 11))
    of_views -= np.logaddexp.reduce(of_views, axis=2, keepdims=True)
    found = merged(of_views.reshape(-1, 11))
    assert np.allclose(np.exp(found).sum(axis=1), 1)
    wanted = of_views.mean(axis=0)
    assert np.allclose(found - found[:, :1], wanted - wanted[:, :1])
    assert merged(np.zeros((0, 11))).shape == (0, 11)
    same = np.repeat(of_views[:1], VIEWS, axis=0)
    assert np.allclose(merged(same.reshape(-1, 11)), of_views[0])
