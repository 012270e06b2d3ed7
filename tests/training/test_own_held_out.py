"""Which of somebody's own digits are held out."""

import numpy as np
import pytest

from training.errors import DatasetError
from training.own import OwnDigits
from training.own.held_out import split


def own(labels: np.ndarray, groups: list[str] | None = None, pictures: np.ndarray | None = None) -> OwnDigits:
    """Digits of which picture i is the number `pictures[i]`, by default i."""
    numbers = np.arange(len(labels)) if pictures is None else pictures
    inputs = np.zeros((len(labels), 1, 32, 32), np.float32)
    inputs[:, 0, 0, 0] = numbers
    return OwnDigits("mine", inputs, labels.astype(np.int64), tuple(groups) if groups else None, ())


@pytest.mark.parametrize("seed", range(5))
def test_no_group_is_on_both_sides(seed: int) -> None:
    """Groups stay whole, every picture is on one side, and the share is near what was asked for."""
    draw = np.random.default_rng(seed)
    groups = [f"writer {number}" for number in draw.integers(0, 25, 500)]
    parts = split(own(draw.integers(0, 10, 500), groups), 0.2, seed)
    learnt, held_out = ({groups[index] for index in side} for side in (parts.learnt, parts.held_out))
    assert not learnt & held_out
    assert sorted([*parts.learnt, *parts.held_out]) == list(range(500))
    assert abs(len(parts.held_out) - 100) <= 15


def test_a_large_group_is_learnt_from() -> None:
    """Where one group has most pictures the small ones are held out, whatever the seed."""
    groups = ["large"] * 400 + ["small"] * 40
    for seed in range(10):
        parts = split(own(np.arange(440) % 10, groups), 0.2, seed)
        assert {groups[index] for index in parts.held_out} == {"small"}


def test_every_class_has_its_share() -> None:
    """Without groups each class, also a rare one, is held out in proportion."""
    labels = np.repeat(np.arange(11), [200, 10, 50, 100, 100, 100, 100, 100, 100, 100, 40])
    parts = split(own(labels), 0.2, 3)
    assert np.bincount(labels[parts.held_out]).tolist() == (np.bincount(labels) * 0.2).astype(int).tolist()
    assert sorted([*parts.learnt, *parts.held_out]) == list(range(len(labels)))


def test_copies_of_a_picture_stay_together() -> None:
    """The same picture several times, even under another label, is never on both sides."""
    pictures = np.arange(600) % 150
    labels = (np.arange(600) // 7) % 10
    parts = split(own(labels, None, pictures), 0.2, 0)
    assert not set(pictures[parts.learnt]) & set(pictures[parts.held_out])


def test_the_seed_chooses() -> None:
    """The same seed holds out the same, another one others."""
    data = own(np.arange(300) % 10)
    assert np.array_equal(split(data, 0.2, 1).held_out, split(data, 0.2, 1).held_out)
    assert not np.array_equal(split(data, 0.2, 1).held_out, split(data, 0.2, 2).held_out)


@pytest.mark.parametrize(
    ("labels", "groups", "share", "message"),
    [
        (
            np.arange(60) % 10,
            None,
            0.2,
            "60 pictures leave 50 to learn from and 10 held out, but each takes at least 20",
        ),
        (np.arange(39) % 3, None, 0.5, "at least 20"),
        (np.arange(200) % 10, ["one"] * 200, 0.2, "all pictures are of one group, 'one'"),
        (np.arange(200) % 10, ["a"] * 190 + ["b"] * 10, 0.2, "10 held out, but .* more pictures or groups"),
    ],
)
def test_too_few_are_refused(labels: np.ndarray, groups: list[str] | None, share: float, message: str) -> None:
    """The message says how many there are and how many it takes."""
    with pytest.raises(DatasetError, match=message):
        split(own(labels, groups), share, 0)
