"""What each candidate of a segmentation may be, with its log weight: the arcs of the lattice.

A digit d weighs log p(d) - log p(no digit) by the network: how much likelier its candidate is under this reading than
as a cut in the wrong place. Marks are told by their place and size in the line, for a network that is shown every
candidate in one size takes a slash for a 1; what is skipped costs a constant.
"""

from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.calibration import FieldCalibration
from app.fields.lattice import Lattice
from app.fields.segmentation import Candidate, Segmentation
from app.fields.symbols import DIGITS, SYMBOLS

UNLIKELY: Final = -6.0  # log-odds of a mark that has not a mark's form


def lattice_of(segmentation: Segmentation, log_probs: npt.NDArray[np.floating], weights: FieldCalibration) -> Lattice:
    """The lattice of a segmentation, from the log-probabilities (n, 11) of its n candidates; the last is `no digit`."""
    odds = (log_probs[:, :DIGITS] - log_probs[:, DIGITS:]).astype(np.float64) / weights.temperature  # (n, 10)
    marks = np.array([_marks(candidate, weights) for candidate in segmentation.candidates])
    score = np.concatenate([odds, marks.reshape(-1, len(SYMBOLS) - DIGITS)], axis=1)  # (n, symbols)
    n = len(score)
    return Lattice(
        nodes=segmentation.pieces + 1,
        start=np.repeat(np.array([one.start for one in segmentation.candidates], np.int64), len(SYMBOLS)),
        stop=np.repeat(np.array([one.stop for one in segmentation.candidates], np.int64), len(SYMBOLS)),
        symbol=np.tile(np.arange(len(SYMBOLS)), n),
        score=score.ravel(),
        source=np.repeat(np.arange(n), len(SYMBOLS)),
    )


def _marks(one: Candidate, weights: FieldCalibration) -> list[float]:
    """Log-odds of a candidate for each mark, in the order of SYMBOLS."""
    low = one.above > 0.55  # all of it lies in the lower half of the digits' body
    small = one.height < 0.35 and one.width < 0.35
    flat = one.height < 0.3 and one.width > 1.5 * one.height and 0.15 < one.above < 0.75
    tall = one.height > 1.05 and one.width > 0.3 * one.height
    found = {
        ".": low and small,
        ",": low and one.height < 0.6 and one.width < 0.4,
        "-": flat,
        "/": tall,
        "$": True,
    }
    yes = {**dict.fromkeys(found, weights.mark), "$": weights.skipped}
    return [yes[mark] if found[mark] else UNLIKELY for mark in SYMBOLS[DIGITS:]]
