"""What the space displacement network's outputs say of whole texts: connectionist temporal classification.

A path has one of ten digits or the blank at each step; its text is what is left when repeated signs are joined and the
blanks dropped. The likelihood of a text is the sum over its paths, and those of all texts sum to one (Graves et al.
2006, section 4.1, the forward variables).
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.symbols import DIGITS

Floats = npt.NDArray[np.float64]

BLANK: Final = DIGITS
CLASSES: Final = DIGITS + 1
LEAST: Final = -300.0
"""Log-likelihood, in nats, under which a text is as good as impossible."""


def log_likelihoods(log_probs: npt.NDArray[np.floating], texts: Sequence[str]) -> Floats:
    """(n,), in nats, -300 or more: of n texts of digits, by log-probabilities (steps, 11)."""
    if not texts:
        return np.zeros(0)
    labels = _labels(texts)  # n x states
    n, states = labels.shape
    ends = 2 * np.array([len(text) for text in texts])
    # A digit may follow the one before it without a blank between them where they differ.
    skips = np.zeros((n, states))
    skips[:, 3::2] = labels[:, 3::2] != labels[:, 1:-2:2]
    alpha = np.zeros((n, states + 2))  # two states before the first, which nothing reaches
    alpha[:, 2] = 1.0  # a start before the first step: the blank, as if it had been there before
    scale = np.zeros((n, 1))
    for probabilities in np.exp(log_probs.astype(np.float64)):
        come = alpha[:, 2:] + alpha[:, 1:-1]
        come += skips * alpha[:, :-2]
        come *= probabilities[labels]
        total = come.sum(axis=1, keepdims=True)
        np.maximum(total, 1e-300, out=total)
        alpha[:, 2:] = come / total
        scale += np.log(total)
    rows = np.arange(n)
    whole = alpha[rows, ends + 2] + np.where(ends > 0, alpha[rows, ends + 1], 0.0)
    found: Floats = np.maximum(np.log(np.maximum(whole, 1e-300)) + scale[:, 0], LEAST)
    return found


def best_path(log_probs: npt.NDArray[np.floating]) -> str:
    """The text of the likeliest path, which is nearly always the likeliest text (Graves et al. 2006, section 3.2)."""
    signs = log_probs.argmax(axis=1)
    new = np.diff(signs, prepend=BLANK) != 0
    return "".join(map(str, signs[new & (signs != BLANK)].tolist()))


def _labels(texts: Sequence[str]) -> npt.NDArray[np.int64]:
    """(n, 2 longest + 1): a blank, then each digit and a blank; what is behind a text's end is blank."""
    labels = np.full((len(texts), 2 * max(map(len, texts)) + 1), BLANK, np.int64)
    for row, text in zip(labels, texts, strict=True):
        row[1 : 2 * len(text) : 2] = [int(char) for char in text]
    return labels
