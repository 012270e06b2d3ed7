"""Which digits of a training set are held out to choose by; the test set never is."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from training.errors import ConfigError

WRITER_ORDER_SEED = 1998
"""Which writers are held out is part of the split's definition, whatever the seed of the run."""

HELD_OUT = 6000
"""Digits, or a few more, of writers that fields neither learn from nor are calibrated with, by `by_writer`."""

Index = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Split:
    """Positions in the training set, each in ascending order, none in both."""

    learnt: Index
    held_out: Index


def every_tenth(count: int) -> Split:
    """Hold out every tenth of `count` pictures."""
    tenth = np.arange(count) % 10 == 9
    return Split(np.flatnonzero(~tenth), np.flatnonzero(tenth))


def last(count: int, held_out: int) -> Split:
    """Hold out the last `held_out` of `count` digits.

    In MNIST's training part writers follow one another, so that most of the last digits are by other writers than the
    digits before; but not all: docs/training.md has the figures.
    """
    if held_out >= count:
        raise ConfigError(f"data.validation_digits is {held_out}, but there are only {count} digits")
    return Split(np.arange(count - held_out), np.arange(count - held_out, count))


def by_writer(writers: npt.NDArray[np.int32], held_out: int) -> Split:
    """Hold out all digits of as many writers as it takes to have `held_out` of them or a few more.

    `writers` (n,) says who wrote each digit.
    """
    order = np.random.default_rng(WRITER_ORDER_SEED).permutation(np.unique(writers))
    digits_of = dict(zip(*np.unique(writers, return_counts=True), strict=True))
    reached = np.cumsum([digits_of[writer] for writer in order])
    chosen = order[: int(np.searchsorted(reached, held_out)) + 1]
    if len(chosen) == len(order):
        raise ConfigError(f"data.validation_digits is {held_out}, which leaves no writer to learn from")
    is_held_out = np.isin(writers, chosen)
    return Split(np.flatnonzero(~is_held_out), np.flatnonzero(is_held_out))
