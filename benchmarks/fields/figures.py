"""The figures of a set of answers."""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from benchmarks.fields.reading import Answer

MISREAD = 0.01
"""Of what is accepted: the share at which read rates are compared."""


def exact(answers: Sequence[Answer]) -> float:
    """Share of the fields whose text is the truth."""
    return float(np.mean([answer.right for answer in answers]))


def among_best(answers: Sequence[Answer]) -> float:
    """Share of the fields whose truth is among the texts that were offered."""
    return float(np.mean([answer.among_best for answer in answers]))


def read_rate(answers: Sequence[Answer], misread: float = MISREAD) -> float:
    """The largest share of the fields that can be accepted, the surest first, so that `misread` of those are wrong."""
    shares, errors = reject_curve(answers)
    within = np.flatnonzero(errors <= misread)
    return float(shares[within[-1]]) if len(within) else 0.0


def reject_curve(answers: Sequence[Answer]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Shares accepted, and shares misread of those, for each threshold: equally sure fields come together."""
    sure = np.array([answer.confidence for answer in answers])
    wrong = np.array([not answer.right for answer in answers])
    order = np.argsort(-sure, kind="stable")
    accepted = np.arange(1, len(answers) + 1)
    ends = np.append(np.diff(sure[order]) < 0, True)
    errors = np.cumsum(wrong[order]) / accepted
    return (accepted / len(answers))[ends], errors[ends]


def accepted(answers: Sequence[Answer]) -> float:
    """Share of the fields that the reader accepts."""
    return float(np.mean([answer.accepted for answer in answers]))


def accepted_error(answers: Sequence[Answer]) -> float:
    """Share misread of what the reader accepts; NaN where it accepts nothing."""
    wrong = [not answer.right for answer in answers if answer.accepted]
    return float(np.mean(wrong)) if wrong else float("nan")


def calibration_error(answers: Sequence[Answer], bins: int = 15) -> float:
    """Expected calibration error of the confidence, in `bins` of equal width."""
    sure = np.array([answer.confidence for answer in answers])
    right = np.array([answer.right for answer in answers])
    place = np.minimum((sure * bins).astype(int), bins - 1)
    gaps = [abs(right[place == one].sum() - sure[place == one].sum()) for one in range(bins)]
    return float(sum(gaps) / len(answers))
