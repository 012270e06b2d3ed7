"""app.fields.ctc against the enumeration of all paths, and against torch's own loss."""

from collections import defaultdict
from itertools import groupby, product

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.fields.ctc import BLANK, CLASSES, LEAST, best_path, log_likelihoods


def outputs(seed: int, steps: int, sharpness: float = 2.0) -> np.ndarray:
    """What a network might say, (steps, 11)."""
    scores = np.random.default_rng(seed).normal(0, sharpness, (steps, CLASSES))
    return scores - np.logaddexp.reduce(scores, axis=1, keepdims=True)


@settings(deadline=None, max_examples=20)
@given(st.integers(0, 10_000), st.integers(1, 4))
def test_a_likelihood_sums_over_all_paths(seed: int, steps: int) -> None:
    """Each text has the summed probability of the paths that are read so; those of all texts sum to one."""
    log_probs = outputs(seed, steps)
    expected: dict[str, float] = defaultdict(float)
    for path in product(range(CLASSES), repeat=steps):
        text = "".join(str(sign) for sign, _ in groupby(path) if sign != BLANK)
        expected[text] += float(np.exp(log_probs[range(steps), path].sum()))
    found = log_likelihoods(log_probs, list(expected))
    assert np.exp(found) == pytest.approx(np.array(list(expected.values())), rel=1e-9)
    assert np.exp(found).sum() == pytest.approx(1)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.lists(st.text("0123456789", max_size=9), min_size=1, max_size=8))
def test_long_lines_are_as_torch_has_them(seed: int, texts: list[str]) -> None:
    """Over many steps nothing is lost to rounding: the same as the loss that the network learns by."""
    log_probs = outputs(seed, 60, sharpness=4.0)
    expected = [
        -F.ctc_loss(
            torch.from_numpy(log_probs)[:, None],
            torch.tensor([[int(char) for char in text]], dtype=torch.long).reshape(1, len(text)),
            torch.tensor([60]),
            torch.tensor([len(text)]),
            blank=BLANK,
            reduction="sum",
        ).item()
        for text in texts
    ]
    assert log_likelihoods(log_probs, texts) == pytest.approx(np.maximum(expected, LEAST), abs=1e-6)


def test_what_cannot_be_is_as_unlikely_as_can_be() -> None:
    """A text longer than the line, or of one digit again and again without room for blanks, has the least of all."""
    assert log_likelihoods(outputs(0, 3), ["1234", "11", "111"])[[0, 2]].tolist() == [LEAST, LEAST]
    assert log_likelihoods(outputs(0, 3), ["11"])[0] > LEAST
    assert log_likelihoods(outputs(0, 3), []).shape == (0,)


@settings(deadline=None, max_examples=50)
@given(st.integers(0, 10_000), st.integers(0, 12))
def test_the_best_path_joins_what_repeats(seed: int, steps: int) -> None:
    """A digit again without a blank between is the same; behind one it is another."""
    log_probs = outputs(seed, steps)[:, [0, 1, BLANK]]
    log_probs = np.insert(log_probs, [2] * (CLASSES - 3), -50.0, axis=1)
    signs = log_probs.argmax(axis=1).tolist()
    assert best_path(log_probs) == "".join(str(sign) for sign, _ in groupby(signs) if sign != BLANK)
