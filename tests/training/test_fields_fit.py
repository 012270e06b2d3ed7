"""A kind's calibration: fitted on one half, its worth on the other, cheques by weights that leave them out."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.fields import reader
from app.fields.formats import field_format
from training.fields import fit as fitting
from training.fields.development import Shown, shown
from training.fields.fit import fit


def strings(texts: tuple[str, ...], seed: int, fold: int = -1) -> list[Shown]:
    """Printed strings, shown to a network that is mostly sure of what it guesses."""
    found = []
    for number, text in enumerate(texts):
        picture = np.full((70, 60 + 40 * len(text)), 255, np.uint8)
        cv2.putText(picture, text, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0,), 3)

        def network(inputs: np.ndarray, number: int = number) -> np.ndarray:
            logits = np.random.default_rng((seed, number)).normal(0, 2, (len(inputs), 11))
            return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

        found.append(shown(picture, network, field_format("amount"), (text,), fold))
    return found


def test_the_weights_are_learnt_from_one_half_and_the_worth_from_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another half for the confidence changes offset, slope and thresholds, and no weight."""
    monkeypatch.setattr(fitting, "ROUNDS", 5)
    first, second = strings(("407", "12", "83"), 0), strings(("51", "62", "9"), 1)
    wrong = fit(first, second, [])
    read = [
        reader.decode(one.proposal, one.log_probs, one.format, n_best=1, weights=wrong.calibration).text
        for one in second
    ]
    right = fit(first, [replace(one, texts=(text,)) for one, text in zip(second, read, strict=True)], [])
    assert [answer.right for answer in right.answers] == [True] * 3
    one, other = wrong.calibration, right.calibration
    assert one.weights == other.weights
    assert (one.offset, one.slope) != (other.offset, other.slope)
    assert fit(first[:2], first, []).calibration.weights != one.weights


def test_a_folds_cheques_are_answered_by_weights_that_never_saw_them(monkeypatch: pytest.MonkeyPatch) -> None:
    """What a fold's cheques say changes the others' weights and not its own."""
    monkeypatch.setattr(fitting, "ROUNDS", 5)
    first, second = strings(("407", "12"), 0), strings(("51", "62"), 1)
    cheques = strings(("90", "31"), 2, fold=0) + strings(("77", "28"), 3, fold=1)
    whole = fit(first, second, cheques)
    assert len(whole.answers) == len(second) + len(cheques)
    changed = [replace(one, texts=("1",)) if one.fold == 0 else one for one in cheques]
    other = fit(first, second, changed)
    assert other.of_folds[0].weights == whole.of_folds[0].weights
    assert other.of_folds[1].weights != whole.of_folds[1].weights
    assert other.calibration.weights != whole.calibration.weights
