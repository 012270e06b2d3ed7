"""app.lenet.architecture: which arguments a LeNet-5 may have."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from app.lenet.architecture import Architecture

PAPER = Architecture(c3="table1", output="rbf", squash_subsampling=True).with_paper_input()


@pytest.mark.parametrize("arch", [Architecture(), PAPER, Architecture(activation="relu", subsampling="max")])
def test_survives_json(arch: Architecture) -> None:
    """An architecture is the same after it was written as JSON and read again."""
    assert Architecture.from_dict(json.loads(json.dumps(arch.to_dict()))) == arch


def test_unknown_key_is_an_error() -> None:
    """A misspelt argument is refused by name."""
    with pytest.raises(ValueError, match="amplitud;"):
        Architecture.from_dict({"amplitud": 1.0})


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("num_classes", 0),
        ("num_classes", 2.0),
        ("num_classes", True),
        ("c3", "table2"),
        ("output", "softmax"),
        ("activation", "gelu"),
        ("subsampling", "median"),
        ("squash_subsampling", 1),
        ("amplitude", float("nan")),
        ("slope", "0.5"),
        ("input_scale", float("inf")),
        ("pool_stride", 0),
        ("pool_kernel", 15),
    ],
)
def test_value_that_cannot_be_is_an_error(field: str, value: Any) -> None:
    """A value of the wrong kind, or out of its range, is refused by its field's name."""
    with pytest.raises(ValueError, match=field):
        Architecture.from_dict({field: value})


def test_rbf_has_a_class_for_each_bitmap_at_most() -> None:
    """There are ten bitmaps, so an RBF output of eleven classes is refused, and a linear one is not."""
    assert Architecture(output="rbf", num_classes=10).num_classes == 10
    assert Architecture(output="linear", num_classes=11).num_classes == 11
    with pytest.raises(ValueError, match="at most 10 classes"):
        Architecture(output="rbf", num_classes=11)


def test_standardised_input_has_zero_mean_and_unit_deviation() -> None:
    """The fixed operation takes ink of the given mean and deviation to 0 and 1."""
    ink = np.random.default_rng(0).random(1000) ** 3
    arch = Architecture().with_standardised_input(float(ink.mean()), float(ink.std()))
    standardised = ink * arch.input_scale + arch.input_offset
    assert standardised.mean() == pytest.approx(0, abs=1e-12)
    assert standardised.std() == pytest.approx(1)


@pytest.mark.parametrize("std", [0.0, -1.0, float("nan")])
def test_cannot_standardise_without_deviation(std: float) -> None:
    """A deviation that is not above 0 is refused."""
    with pytest.raises(ValueError, match="std"):
        Architecture().with_standardised_input(0.1, std)


def test_paper_input_runs_from_background_to_ink() -> None:
    """The paper's input is -0.1 for background and 1.175 for ink."""
    assert [ink * PAPER.input_scale + PAPER.input_offset for ink in (0, 1)] == pytest.approx([-0.1, 1.175])


def test_s4_is_5x5_in_the_paper() -> None:
    """The paper's 2x2 subsampling makes S4 5x5, a window of 3 makes it 4x4."""
    assert Architecture().s4_side == 5
    assert replace(Architecture(), pool_kernel=3).s4_side == 4
