"""Rubbish and digits drawn anew, made from real digits."""

import numpy as np
import pytest

from app.imaging import normalize
from training import datasets, rubbish
from training.continental import continental, printed
from training.datasets import Digits
from training.rerender import rerendered


@pytest.fixture(scope="module")
def digits() -> Digits:
    return datasets.load("mnist-train").take(np.arange(500))


@pytest.mark.parametrize("kind", rubbish.MAKERS)
def test_each_kind_of_rubbish_can_be_normalised(digits: Digits, kind: str) -> None:
    """Every maker gives gray pictures with ink in them, never the same twice."""
    rng = np.random.default_rng(0)
    maker = rubbish.MAKERS[kind][1]
    pictures = [maker(digits, rng) for _ in range(30)]
    assert all(picture.dtype == np.uint8 and picture.ndim == 2 for picture in pictures)
    inputs = [normalize(picture).input for picture in pictures]
    assert sum(bool(one.any()) for one in inputs) >= 29
    assert len({one.tobytes() for one in inputs}) >= 28


def test_the_same_seed_makes_the_same_rubbish(digits: Digits) -> None:
    """What is made is part of a config's data."""
    one, same = (rubbish.make(digits, 40, np.random.default_rng(2)) for _ in range(2))
    other = rubbish.make(digits, 40, np.random.default_rng(3))
    assert [p.tobytes() for p in one] == [p.tobytes() for p in same]
    assert [p.tobytes() for p in one] != [p.tobytes() for p in other]


def test_the_letters_of_the_unseen_figure_are_not_learnt() -> None:
    """w, x and y measure what a network makes of shapes that it has not met; z, O and the like are digits' doubles."""
    assert not set("wWxyYzZOoIlSsBgqb0123456789") & set(rubbish.CHARACTERS)


def test_a_cut_leaves_a_part_of_one_digit(digits: Digits) -> None:
    """Between a quarter and 60 % of some digit's ink, and never half a 1."""
    rng = np.random.default_rng(1)
    seven = digits.take(np.flatnonzero(digits.labels == 7)[:1])
    whole = int(seven.pictures.astype(int).sum())
    shares = [rubbish.cut(seven, rng).astype(int).sum() / whole for _ in range(50)]
    assert min(shares) > 0.2
    assert max(shares) < 0.7


def test_a_digit_drawn_anew_is_still_that_digit(digits: Digits) -> None:
    """Normalised, most of them overlap with the digit they were made from; nearly none with its opposite polarity."""
    rng = np.random.default_rng(0)
    alike = []
    for picture in digits.pictures[:150]:
        one, other = normalize(picture).input.ravel(), normalize(rerendered(picture, rng)).input.ravel()
        alike.append(np.corrcoef(one, other)[0, 1])
    assert np.median(alike) > 0.85
    assert np.mean(np.array(alike) < 0.4) < 0.05


def test_continental_forms_are_drawn_onto_ones_and_sevens(digits: Digits) -> None:
    """Each has ink of its own and a stroke more, and nothing but ones and sevens is touched."""
    rng = np.random.default_rng(0)
    made = continental(digits, 60, rng)
    assert set(made.labels.tolist()) == {1, 7}
    ink = made.pictures.astype(int).sum((1, 2))
    usual = digits.pictures[np.isin(digits.labels, (1, 7))].astype(int).sum((1, 2))
    assert np.median(ink) > 1.1 * np.median(usual)
    assert all(normalize(picture).input.any() for picture in made.pictures)


def test_printed_digits_are_all_ten(digits: Digits) -> None:
    """In several fonts, each with ink; the same seed draws the same."""
    one, same = (printed(200, np.random.default_rng(1)) for _ in range(2))
    assert set(one.labels.tolist()) == set(range(10))
    assert np.array_equal(one.pictures, same.pictures)
    assert len(np.unique(one.pictures[one.labels == 1], axis=0)) > 10
