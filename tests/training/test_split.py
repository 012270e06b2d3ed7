"""Which digits are held out."""

import numpy as np
import pytest

from training import split
from training.errors import ConfigError


def test_the_last_digits_are_held_out() -> None:
    """Every digit is on one side, the last ones held out."""
    parts = split.last(10, 3)
    assert parts.learnt.tolist() == [0, 1, 2, 3, 4, 5, 6]
    assert parts.held_out.tolist() == [7, 8, 9]


def test_no_writer_is_on_both_sides() -> None:
    """Every digit is on one side, every writer too, and as many are held out as asked, or one writer's more."""
    writers = np.random.default_rng(0).integers(0, 40, 1000).astype(np.int32)
    parts = split.by_writer(writers, 200)
    assert sorted([*parts.learnt, *parts.held_out]) == list(range(1000))
    assert not set(writers[parts.learnt]) & set(writers[parts.held_out])
    most = int(np.bincount(writers).max())
    assert 200 <= len(parts.held_out) < 200 + most


def test_the_writers_held_out_are_always_the_same() -> None:
    """The split belongs to the data, not to the run's seed."""
    writers = np.arange(100, dtype=np.int32) // 5
    first, second = split.by_writer(writers, 20), split.by_writer(writers, 20)
    assert np.array_equal(first.held_out, second.held_out)


def test_something_is_left_to_learn() -> None:
    """Holding everything out is an error."""
    with pytest.raises(ConfigError, match="only 10 digits"):
        split.last(10, 10)
    with pytest.raises(ConfigError, match="leaves no writer"):
        split.by_writer(np.zeros(10, np.int32), 5)
