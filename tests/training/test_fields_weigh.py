"""Weights of what is seen of a candidate, learnt through the lattice."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.fields import reader
from app.fields.calibration import FEATURES, FieldCalibration
from app.fields.formats import field_format
from app.fields.scores import described
from app.fields.symbols import SYMBOLS
from training.fields import weigh
from training.fields.truth import right_readings


@pytest.fixture
def lessons():
    """A few printed strings whose candidates got random log-probabilities."""
    found = []
    for seed, text in enumerate(("407", "12", "9", "8316")):
        picture = np.full((70, 60 + 40 * len(text)), 255, np.uint8)
        cv2.putText(picture, text, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0,), 3)
        proposal = reader.propose(picture)
        logits = np.random.default_rng(seed).normal(0, 2, (len(proposal.inputs), 11))
        log_probs = logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)
        right = field_format("digits").automaton.restricted_to([text])
        readings = weigh.readings(proposal.segmentation, [right])
        found.append(weigh.Lesson(*described(proposal.segmentation, log_probs), readings))
    return found


def test_the_gradient_is_that_of_the_loss(lessons):
    """Each weight's derivative agrees with the difference of the losses beside it."""
    rng = np.random.default_rng(0)
    start = FieldCalibration().matrix + rng.normal(0, 0.3, (len(SYMBOLS), len(FEATURES)))
    for one in lessons:
        _, gradient = weigh._loss(one, start)
        for place in rng.integers((len(SYMBOLS), len(FEATURES)), size=(12, 2)):
            step = np.zeros_like(start)
            step[tuple(place)] = 1e-5
            slope = (weigh._loss(one, start + step)[0] - weigh._loss(one, start - step)[0]) / 2e-5
            assert gradient[tuple(place)] == pytest.approx(slope, abs=1e-5)


def test_learning_makes_the_right_strings_likelier(lessons):
    """After learning the right strings have a larger share of all paths, and the rest of the calibration stands."""
    start = replace(FieldCalibration(), slope=0.7)
    learnt = weigh.learn(lessons, start, rounds=15)
    assert weigh.loss_of(lessons, learnt) < weigh.loss_of(lessons, start) - 1
    assert learnt.slope == 0.7


def test_what_no_path_says_teaches_nothing(lessons):
    """A string of more digits than there are pieces of ink is no lesson."""
    picture = np.full((60, 60), 255, np.uint8)
    cv2.putText(picture, "1", (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0,), 3)
    proposal = reader.propose(picture)
    form = field_format("digits")
    assert weigh.readings(proposal.segmentation, right_readings(form, ["123456789"])) is None
    assert weigh.readings(proposal.segmentation, right_readings(form, ["1"], written="1,1")) is not None


def test_the_strictest_reading_that_has_a_path_is_learnt():
    """Sign by sign where the segmentation has it so, and whatever has the text where it has not."""
    strict, free = right_readings(field_format("digits"), ["12"], written="1*2")
    assert [one.text_of("1$2") for one in (strict, free)] == ["12", "12"]
    assert [one.text_of("1.2") for one in (strict, free)] == [None, "12"]
