"""What each candidate of a segmentation may be, with its log weight: the arcs of the lattice.

A weight is linear in what is seen of the candidate: what the network says, and where in the line it lies, how large it
is and how much room it has. For a network that is shown every candidate in one size takes a slash, or a point, for a 1.
With weights learnt so that the right string has the largest share of all paths (`training.fields.weigh`) this is a
conditional random field over segmentations (Sarawagi and Cohen 2004), the paper's discriminative forward training
(LeCun et al. 1998, section VI.E) for the weights that come after the network.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.calibration import FEATURES, FieldCalibration
from app.fields.lattice import Lattice
from app.fields.segmentation import Segmentation
from app.fields.symbols import DIGITS, SYMBOLS

Floats = npt.NDArray[np.float64]

IDENTITY, DIGITNESS = FEATURES.index("identity"), FEATURES.index("digitness")
ONE: Final = 1  # the digit that a stroke is taken for
SURE: Final = 12.0  # nats; the network's log-odds count no further


def log_probabilities(logits: npt.NDArray[np.floating]) -> Floats:
    """The network's logits (n, 11) as log-probabilities, float64."""
    wide = logits.astype(np.float64)
    found: Floats = wide - np.logaddexp.reduce(wide, axis=1, keepdims=True)
    return found


def lattice_of(segmentation: Segmentation, log_probs: npt.NDArray[np.floating], weights: FieldCalibration) -> Lattice:
    """The lattice of a segmentation, from the log-probabilities (n, 11) of its n candidates; the last is `no digit`."""
    seen, identity = described(segmentation, log_probs)
    return arcs(segmentation, scored(seen, identity, weights.matrix))


def described(segmentation: Segmentation, log_probs: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
    """What is seen of n candidates: FEATURES (n, features), and the identity of each as each symbol (n, symbols)."""
    return with_network(geometry(segmentation), log_probs)


def geometry(segmentation: Segmentation) -> Floats:
    """What is seen of n candidates in their line, (n, features); the network's two columns are 0.

    Lengths are in heights of the line's body. `overlap` and `room` are what the neighbours' ink reaches into the box
    or stays away, on both sides together; `first` and `last` say that nothing is left or right of it.
    """
    n = len(segmentation.candidates)
    shape = np.array(
        [
            (c.height, c.width, c.above, c.below, c.left_gap, c.right_gap, c.mass, c.stop - c.start, c.start, c.stop)
            for c in segmentation.candidates
        ],
        np.float64,
    ).reshape(n, 10)
    height, width, above, below, left, right, mass, pieces, start, stop = shape.T
    height, width = np.minimum(height, 2.5), np.minimum(width, 2.5)
    above, below = np.clip(above, -1.5, 1.5), np.clip(below, -1.5, 1.5)
    seen = np.zeros((n, len(FEATURES)))
    columns = (
        *(np.ones(n), height, height**2, width, width**2, above, above**2, below, below**2),
        *(np.clip(-left, 0, 1) + np.clip(-right, 0, 1), np.clip(left, 0, 1) + np.clip(right, 0, 1)),
        *(mass, pieces - 1, start == 0, stop == segmentation.pieces),
    )
    for index, column in enumerate(columns):
        seen[:, index] = column
    return seen


def with_network(seen: Floats, log_probs: npt.NDArray[np.floating]) -> tuple[Floats, Floats]:
    """`geometry` with what the network's log-probabilities (n, 11) say, and the identities (n, symbols).

    `digitness` is the log-odds of a candidate's being a digit at all. The identity as a symbol is
    log p(symbol | a digit), of a mark that of a 1; its own column among the features is 0.
    """
    n = len(seen)
    digits = log_probs[:, :DIGITS].astype(np.float64)  # (n, 10)
    of_digit = np.logaddexp.reduce(digits, axis=1) if n else np.zeros(0)
    whole = seen.copy()
    whole[:, DIGITNESS] = np.clip(of_digit - log_probs[:, DIGITS], -SURE, SURE)
    identity = np.maximum(digits - of_digit[:, None], -SURE)
    marks = np.repeat(identity[:, ONE : ONE + 1], len(SYMBOLS) - DIGITS, axis=1)
    return whole, np.concatenate([identity, marks], axis=1)


def scored(seen: Floats, identity: Floats, weights: Floats) -> Floats:
    """Log weights (n, symbols) of what `described` says, by weights (symbols, features)."""
    score: Floats = seen @ weights.T + identity * weights[:, IDENTITY]
    return score


def arcs(segmentation: Segmentation, score: Floats) -> Lattice:
    """An arc for each candidate and symbol, with its log weight of `score`, (n, symbols)."""
    n = len(score)
    starts = np.array([one.start for one in segmentation.candidates], np.int64)
    stops = np.array([one.stop for one in segmentation.candidates], np.int64)
    return Lattice(
        nodes=segmentation.pieces + 1,
        start=np.repeat(starts, len(SYMBOLS)),
        stop=np.repeat(stops, len(SYMBOLS)),
        symbol=np.tile(np.arange(len(SYMBOLS)), n),
        score=score.ravel(),
        source=np.repeat(np.arange(n), len(SYMBOLS)),
    )
