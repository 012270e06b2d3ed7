"""app.lenet.calibration: logits to probabilities and a confidence, as laws."""

import json
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.lenet.calibration import FEATURES, Calibration

Array = np.ndarray[Any, np.dtype[np.float64]]
unhurried = settings(deadline=None)  # how long an example takes depends on who else computes

USUAL = Calibration(
    classes=11,
    lowest=(-3.0, 5.0, -9.0),
    highest=(15.0, 17.0, 14.0),
    temperature=(0.6, -0.5, 0.2, -0.6),
    digitness=(-6.0, 2.0, -1.0, 16.0),
    floor=1e-4,
    least_digitness=0.4,
    target_errors=(0.001, 0.01, 0.05),
    thresholds=(0.97, 0.8, 0.0),
)


def some_logits(classes: int, count: int = 200, spread: float = 5.0) -> Array:
    return np.random.default_rng(classes).normal(0, spread, (count, classes))


@st.composite
def calibrations(draw: st.DrawFn) -> Calibration:
    """Any calibration that may be in a manifest."""
    classes = draw(st.sampled_from(sorted(FEATURES)))
    features = len(FEATURES[classes])
    number = st.floats(-20, 20)

    def numbers(length: int, of: st.SearchStrategy[float] = number) -> tuple[float, ...]:
        return tuple(draw(st.lists(of, min_size=length, max_size=length)))

    temperature, digitness = numbers(features + 1), numbers(features + 1)
    return Calibration(
        classes=classes,
        lowest=numbers(features),
        highest=numbers(features, st.floats(20.01, 1e3)),
        temperature=(*temperature[:-1], -abs(temperature[-1])),
        digitness=(*digitness[:-1], abs(digitness[-1])),
        floor=draw(st.floats(0, 0.5)),
        least_digitness=draw(st.floats(0, 1)),
    )


def test_without_a_calibration_ten_outputs_are_their_softmax() -> None:
    """Of ten logits the probabilities are the softmax, and the confidence is the largest of them, to the last bit."""
    logits = some_logits(10)
    found = Calibration.none(10).apply(logits)
    masses = np.exp(logits - logits.max(axis=1, keepdims=True))
    np.testing.assert_allclose(found.probabilities, masses / masses.sum(axis=1, keepdims=True), rtol=1e-12)
    assert np.array_equal(found.confidence, found.probabilities.max(axis=1))
    assert np.array_equal(found.digitness, np.ones(len(logits)))


def test_without_a_calibration_the_eleventh_output_is_taken_off() -> None:
    """Of eleven logits the ten are what is left of the softmax without the last, whose share the confidence lacks."""
    logits = some_logits(11)
    found = Calibration.none(11).apply(logits)
    softmax = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
    digits, none = softmax[:, :10], softmax[:, 10]
    np.testing.assert_allclose(found.probabilities, digits / digits.sum(axis=1, keepdims=True), rtol=1e-9)
    np.testing.assert_allclose(found.digitness, 1 - none, rtol=1e-9)
    np.testing.assert_allclose(found.confidence, found.probabilities.max(axis=1) * (1 - none), rtol=1e-9)


@unhurried
@given(calibrations(), st.sampled_from([0.01, 1.0, 10.0, 1e4]))
def test_probabilities_are_probabilities(calibration: Calibration, spread: float) -> None:
    """Whatever the calibration and the logits: ten that sum to 1, the top logit's the largest, and no warning."""
    logits = some_logits(calibration.classes, 30, spread)
    found = calibration.apply(logits)
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-12)
    assert (found.probabilities >= 0).all()
    top = logits[:, :10].argmax(axis=1)
    largest = found.probabilities.max(axis=1)
    assert np.array_equal(found.probabilities[np.arange(30), top], largest)
    assert ((found.digitness >= 0) & (found.digitness <= 1)).all()
    np.testing.assert_allclose(found.confidence, largest * found.digitness, atol=1e-15)
    assert (found.confidence <= largest).all()


@unhurried
@given(calibrations(), st.permutations(range(10)))
def test_no_digit_is_treated_otherwise(calibration: Calibration, order: list[int]) -> None:
    """Digits that change places change the places of their probabilities, and nothing else."""
    logits = some_logits(calibration.classes, 20)
    found = calibration.apply(logits)
    moved = calibration.apply(np.concatenate([logits[:, order], logits[:, 10:]], axis=1))
    np.testing.assert_allclose(moved.probabilities, found.probabilities[:, order], atol=1e-9)
    np.testing.assert_allclose(moved.confidence, found.confidence, atol=1e-9)
    np.testing.assert_allclose(moved.digitness, found.digitness, atol=1e-9)


@unhurried
@given(calibrations(), st.floats(0, 50))
def test_more_of_no_digit_is_never_surer(calibration: Calibration, rise: float) -> None:
    """When the rubbish output alone rises, neither the digitness nor the confidence does."""
    if calibration.classes == 10:
        return
    logits = some_logits(11, 30)
    before = calibration.apply(logits)
    after = calibration.apply(logits + rise * np.eye(11)[10])
    assert (after.digitness <= before.digitness + 1e-12).all()
    assert (after.confidence <= before.confidence + 1e-12).all()


def test_a_hotter_picture_is_less_sure() -> None:
    """A larger constant of the temperature lowers every largest probability; a larger one of the digitness lifts it."""
    logits = some_logits(11)
    plain, hot, digit = (
        calibration.apply(logits)
        for calibration in (
            USUAL,
            replace(USUAL, temperature=(0.9, -0.5, 0.2, -0.6)),
            replace(USUAL, digitness=(-5.0, 2.0, -1.0, 16.0)),
        )
    )
    assert (hot.probabilities.max(axis=1) < plain.probabilities.max(axis=1)).all()
    assert (digit.confidence > plain.confidence).all()
    assert np.array_equal(digit.probabilities, plain.probabilities)


def test_what_lies_beyond_the_calibration_data_counts_as_its_edge() -> None:
    """A feature beyond its lowest or highest changes neither the temperature nor the digitness any more."""
    far = np.zeros((1, 11))
    far[0, 10] = -30.0  # odds of 32, of which 14 count
    assert USUAL.apply(far - 20 * np.eye(11)[10]).rows.tolist() == USUAL.apply(far).rows.tolist()
    assert USUAL.apply(far).digitness[0] > USUAL.apply(far + 25 * np.eye(11)[10]).digitness[0]


@pytest.mark.parametrize("sign", [-1, 1])
def test_extreme_weights_overflow_nothing(sign: int) -> None:
    """The largest numbers that a manifest may hold, with either sign, give probabilities and no warning."""
    extreme = replace(USUAL, temperature=(sign * 1e6, 0, 0, 0), digitness=(sign * 1e6, 0, 0, 0))
    found = extreme.apply(some_logits(11))
    np.testing.assert_allclose(found.probabilities.sum(axis=1), 1, atol=1e-12)
    assert np.isfinite(found.rows).all()
    np.testing.assert_allclose(found.digitness, (1 + sign) / 2, atol=1e-15)


def test_a_batch_is_its_singles() -> None:
    """Row by row the same as alone, float32 as float64, and the logits stay as they were."""
    logits = some_logits(11, 40).astype(np.float32)
    kept = logits.copy()
    together = USUAL.apply(logits).rows
    alone = np.concatenate([USUAL.apply(row[None]).rows for row in logits])
    np.testing.assert_allclose(together, alone, rtol=1e-12)
    assert np.array_equal(logits, kept)
    assert USUAL.apply(np.empty((0, 11))).rows.shape == (0, 12)


@pytest.mark.parametrize("shape", [(3, 10), (3, 12), (11,), (1, 1, 11)])
def test_logits_of_another_shape_are_refused(shape: tuple[int, ...]) -> None:
    """A calibration for eleven outputs takes (n, 11) and nothing else."""
    with pytest.raises(ValueError, match="shape"):
        USUAL.apply(np.zeros(shape))


@unhurried
@given(calibrations())
def test_a_calibration_survives_json(calibration: Calibration) -> None:
    """As a dict, through JSON and back, it is the same."""
    assert Calibration.from_dict(json.loads(json.dumps(calibration.to_dict()))) == calibration


@pytest.mark.parametrize(
    "changes",
    [
        {"classes": 12},
        {"classes": 11.0},
        {"classes": True},
        {"classes": []},
        {"lowest": [0, 0]},
        {"lowest": [0, 0, "0"]},
        {"lowest": "abc"},
        {"lowest": None},
        {"lowest": [0, 0, 10**400]},
        {"highest": [15, 17, float("inf")]},
        {"highest": [15, 17, -9]},
        {"highest": [15, 5 + 1e-9, 14]},
        {"temperature": [0, 0, 0, float("nan")]},
        {"temperature": [0, 0, 0]},
        {"temperature": [0, 0, 0, 0.1]},  # hotter, the more it is a digit
        {"digitness": [0, 0, 0, True]},
        {"digitness": [0, 0, 0, -0.1]},  # less of a digit, the more it is one
        {"floor": 1},
        {"floor": -0.1},
        {"floor": 0},  # with thresholds: a confidence of 1 would pass a target of 0
        {"floor": "0.1"},
        {"least_digitness": 1.1},
        {"target_errors": [0.001, 0.01]},
        {"target_errors": [0.01, 0.001, 0.05]},
        {"target_errors": [0.0, 0.01, 0.05]},
        {"target_errors": [0.001, 0.01, 1.5]},
        {"target_errors": 3},
        {"thresholds": [0.97, 0.98, 0]},
        {"thresholds": [1.1, 0.8, 0]},
        {"thresholds": [float("nan"), 0.8, 0]},
        {"surprise": 1},
    ],
)
def test_a_value_that_cannot_be(changes: dict[str, Any]) -> None:
    """An unknown key, or a value of another kind, length, range or sign, is a ValueError of one line that names it."""
    with pytest.raises(ValueError, match=f"{next(iter(changes))}|thresholds|target_errors") as caught:
        Calibration.from_dict(USUAL.to_dict() | changes)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("key", USUAL.to_dict())
def test_every_key_is_needed(key: str) -> None:
    """A calibration that lacks a key is a ValueError that names it."""
    with pytest.raises(ValueError, match=f"lacks {key}"):
        Calibration.from_dict({name: value for name, value in USUAL.to_dict().items() if name != key})


def test_a_target_error_has_its_threshold() -> None:
    """At a target its own threshold holds, between two that of the stricter one, above the last the last one's."""
    assert [USUAL.threshold_for(target) for target in (0.001, 0.005, 0.01, 0.03, 0.05, 1.0)] == [
        0.97,
        0.97,
        0.8,
        0.8,
        0.0,
        0.0,
    ]


def test_a_target_under_the_smallest_binds_each_picture() -> None:
    """Under the table a picture has to be as sure as the target, and a target of 0 accepts not even the surest."""
    assert USUAL.threshold_for(1e-4) == 1 - 1e-4
    surest = USUAL.apply(np.eye(11)[:1] * 1000).confidence[0]
    assert surest < USUAL.threshold_for(0) == 1


@unhurried
@given(st.lists(st.floats(0, 1), min_size=2, max_size=2).map(sorted))
def test_a_stricter_target_never_accepts_more(targets: list[float]) -> None:
    """The threshold does not fall when the target error does."""
    assert USUAL.threshold_for(targets[0]) >= USUAL.threshold_for(targets[1])


def test_without_a_table_nothing_is_promised() -> None:
    """A calibration without thresholds refuses a target error."""
    with pytest.raises(ValueError, match="no thresholds"):
        Calibration.none(10).threshold_for(0.01)


@pytest.mark.parametrize("classes", [3, 9, 12])
def test_other_numbers_of_outputs_are_no_digits(classes: int) -> None:
    """There is nothing to do without a calibration for other than ten or eleven outputs."""
    with pytest.raises(ValueError, match="classes"):
        Calibration.none(classes)
