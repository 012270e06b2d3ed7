"""A kind's calibration: fitted on one half, its worth on the other, cheques by weights that leave them out."""

from collections.abc import Callable
from dataclasses import replace

import cv2
import numpy as np
import pytest

from app.fields import reader
from app.fields.ctc import BLANK, CLASSES
from app.fields.formats import field_format
from training.datasets.cheque_amounts import FOLDS, MISLABELLED, Amount
from training.fields import fit as fitting
from training.fields.development import Networks, Shown, cheques, shown
from training.fields.fit import fit
from training.fields.truth import amount_texts


def says(text: str, sure: float) -> Callable[[np.ndarray], np.ndarray]:
    """A network that sees these digits in every line, each with this probability."""

    def network(_: np.ndarray) -> np.ndarray:
        probabilities = np.full((2 * len(text) + 1, CLASSES), (1 - sure) / (CLASSES - 1))
        probabilities[::2, BLANK] = sure
        probabilities[np.arange(1, 2 * len(text), 2), [int(char) for char in text]] = sure
        return np.log(probabilities)

    return network


def strings(texts: tuple[str, ...], seed: int, fold: int = -1, lines: str = "", sure: float = 0.8) -> list[Shown]:
    """Printed strings, shown to a network that is mostly sure of what it guesses, and to one that reads them right.

    Or that sees `lines` in all of them; as surely as is said.
    """
    found = []
    for number, text in enumerate(texts):
        picture = np.full((70, 60 + 40 * len(text)), 255, np.uint8)
        cv2.putText(picture, text, (20, 50), cv2.FONT_HERSHEY_SIMPLEX, 1.5, (0,), 3)

        def network(inputs: np.ndarray, number: int = number) -> np.ndarray:
            logits = np.random.default_rng((seed, number)).normal(0, 2, (len(inputs), 11))
            return logits - np.logaddexp.reduce(logits, axis=1, keepdims=True)

        found.append(
            shown(picture, Networks(network, says(lines or text, sure)), field_format("amount"), (text,), fold)
        )
    return found


def test_the_weights_are_learnt_from_one_half_and_the_worth_from_the_other(monkeypatch: pytest.MonkeyPatch) -> None:
    """Another half for the confidence changes offset, slope and thresholds, and no weight."""
    monkeypatch.setattr(fitting, "ROUNDS", 5)
    first, second = strings(("407", "12", "83"), 0), strings(("51", "62", "9"), 1, lines="2")
    wrong = fit(first, second, [])
    read = [
        reader.decode(
            one.proposal, one.log_probs, one.line_log_probs, one.format, n_best=1, weights=wrong.calibration
        ).text
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


def test_the_line_counts_as_far_as_it_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A network that reads lines and is right when it is sure gets a weight; one that never is right gets none."""
    monkeypatch.setattr(fitting, "ROUNDS", 5)
    texts = tuple(map(str, range(13, 100, 3)))
    first = strings(("407", "12", "83"), 0)
    mostly = strings(texts[:-6], 1) + strings(texts[-6:], 1, lines="2", sure=0.3)
    right, wrong = (fit(first, second, []) for second in (mostly, strings(texts, 1, lines="2")))
    assert right.calibration.line_weight > 0.3 > wrong.calibration.line_weight
    assert right.calibration.line_slope > wrong.calibration.line_slope
    assert sum(answer.right for answer in right.answers) > sum(answer.right for answer in wrong.answers)


def test_labels_that_are_known_to_be_wrong_are_put_right(monkeypatch: pytest.MonkeyPatch) -> None:
    """A cheque is held against what its picture says."""
    name, says_truly = next(iter(MISLABELLED.items()))
    blank = np.full((70, 300), 255, np.uint8)
    amounts = [Amount(one, blank, "123", np.zeros((3, 4), np.float32)) for one in (name, "a_car_999999")]
    monkeypatch.setattr("training.datasets.cheque_amounts.load", lambda _: amounts)
    networks = Networks(lambda inputs: np.zeros((len(inputs), CLASSES)), says("123", 0.8))
    found = list(cheques(dict.fromkeys(range(FOLDS), networks), None))
    assert [one.texts for one in found] == [amount_texts(says_truly), amount_texts("123")]
