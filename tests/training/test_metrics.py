"""The figures, against values worked out by hand and against laws."""

import json
import math

import numpy as np
import pytest
from sklearn.metrics import roc_auc_score

from training import metrics
from training.metrics import measure, softmax, threshold_for

THREE = np.array([[0.7, 0.2, 0.1], [0.1, 0.5, 0.4], [0.3, 0.3, 0.4]])
TRUTH = np.array([0, 2, 2])


def some(seed: int, n: int = 500) -> tuple[np.ndarray, np.ndarray]:
    """Probabilities and labels that follow them: perfectly calibrated, but for chance."""
    rng = np.random.default_rng(seed)
    probabilities = softmax(rng.normal(0, 2, (n, 10)))
    labels = np.array([rng.choice(10, p=row) for row in probabilities])
    return probabilities, labels


def test_figures_worked_out_by_hand() -> None:
    """Error, NLL, Brier and confusion of three digits."""
    found = measure(THREE, TRUTH)
    assert (found.count, found.misses) == (3, 1)
    assert found.error_percent == pytest.approx(100 / 3)
    assert found.nll == pytest.approx(-(math.log(0.7) + 2 * math.log(0.4)) / 3)
    assert found.brier == pytest.approx((0.09 + 0.04 + 0.01 + 0.01 + 0.25 + 0.36 + 0.09 + 0.09 + 0.36) / 3)
    assert found.confusion == ((1, 0, 0), (0, 0, 0), (0, 1, 1))


def test_ece_worked_out_by_hand() -> None:
    """Three digits in three bins: the gaps 0.3, 0.5 and 0.6, each with a third of the weight."""
    assert metrics.ece(THREE, TRUTH) == pytest.approx((0.3 + 0.5 + 0.6) / 3)


def test_a_sure_and_right_model_is_perfect() -> None:
    """One-hot probabilities of the truth score 0 in everything."""
    found = measure(np.eye(10)[[3, 1, 4]], np.array([3, 1, 4]))
    assert (found.misses, found.nll, found.brier, found.ece) == (0, 0, 0, 0)


def test_a_sure_and_wrong_model_is_finite() -> None:
    """A probability of 0 for the truth gives a large NLL, not an infinite one."""
    assert 80 < measure(np.eye(2)[[0]], np.array([1])).nll < 100


def test_the_bins_hold_every_digit_once() -> None:
    """Counts sum to n, and the counted shares of right digits give the accuracy."""
    probabilities, labels = some(0)
    table = metrics.reliability(probabilities, labels)
    assert table[:, 0].sum() == len(labels)
    assert (table[:, 0] * table[:, 2]).sum() == pytest.approx((probabilities.argmax(1) == labels).sum())


def test_a_bin_has_its_upper_edge() -> None:
    """A confidence of just 0.5 belongs to (0, 0.5], one of 1 to the last bin."""
    table = metrics.reliability(np.array([[0.5, 0.5], [1.0, 0.0]]), np.array([0, 0]), bins=2)
    assert table[:, 0].tolist() == [1, 1]


def test_a_calibrated_model_has_a_small_ece() -> None:
    """Labels drawn from the probabilities themselves: the gap is chance alone, and grows when they are sharpened."""
    probabilities, labels = some(1, 5000)
    sharp = probabilities**3 / (probabilities**3).sum(axis=1, keepdims=True)
    assert metrics.ece(probabilities, labels) < 0.03
    assert metrics.ece(sharp, labels) > 0.1


def test_the_confusion_matrix_sums_to_its_margins() -> None:
    """Rows sum to the true counts, the diagonal to the right ones."""
    probabilities, labels = some(2)
    table = metrics.confusion(probabilities, labels)
    assert table.sum(axis=1).tolist() == np.bincount(labels, minlength=10).tolist()
    assert np.trace(table) == (probabilities.argmax(1) == labels).sum()


def test_refusing_the_least_sure() -> None:
    """Nothing refused is the plain error, everything refused is 0, and the least sure go first."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.6, 0.4], [0.55, 0.45]])
    labels = np.array([0, 0, 1, 1])
    assert [metrics.reject_curve(probabilities, labels, rate) for rate in (0, 0.25, 0.5, 1)] == [
        50,
        pytest.approx(100 / 3),
        0,
        0,
    ]


@pytest.mark.parametrize("accepted", [0.985, 0.99, 0.999, 1.0])
def test_the_threshold_lets_pass_what_it_should(accepted: float) -> None:
    """At least the share asked for reaches the threshold, and the next digit would not but for rounding."""
    probabilities, _ = some(3, 1000)
    confidence = np.sort(probabilities.max(axis=1))
    threshold = threshold_for(probabilities, accepted)
    refused = (confidence < threshold).sum()
    assert refused <= round((1 - accepted) * 1000)
    assert threshold > confidence[round((1 - accepted) * 1000)] - 0.0001


def test_softmax_is_that_of_a_library() -> None:
    """Rows sum to 1 and large logits do not overflow."""
    logits = np.array([[1000.0, 999.0], [-1000.0, 0.0]], np.float32)
    found = softmax(logits)
    assert found.sum(axis=1) == pytest.approx([1, 1])
    assert found[0, 0] == pytest.approx(1 / (1 + math.exp(-1)))


def test_nothing_cannot_be_measured() -> None:
    """No digits: an error, not figures of nothing."""
    with pytest.raises(ValueError, match="nothing to measure"):
        measure(np.zeros((0, 10)), np.zeros(0, np.int64))


def test_confidence_may_be_another_than_the_largest_probability() -> None:
    """ECE, rejects, the share to refuse and the misread digits' confidence follow the confidence that is handed in."""
    probabilities, labels = some(4)
    largest = probabilities.max(axis=1)
    usual = measure(probabilities, labels)
    assert measure(probabilities, labels, confidence=largest) == usual
    halved = measure(probabilities, labels, confidence=largest / 2)
    assert (halved.rejects, halved.refused_for, halved.nll) == (usual.rejects, usual.refused_for, usual.nll)
    assert halved.ece > usual.ece + 0.2
    assert halved.misread_confidence == pytest.approx(usual.misread_confidence / 2)
    right = (probabilities.argmax(axis=1) == labels).astype(float)
    knowing = measure(probabilities, labels, confidence=right)
    assert (knowing.ece, knowing.misread_confidence) == (0, 0)
    assert dict(knowing.refused_for)[0.1] == pytest.approx(usual.error_percent / 100)


def test_misread_confidence_worked_out_by_hand() -> None:
    """The one misread digit of three is read with 0.5; where none is misread it is 0."""
    assert measure(THREE, TRUTH).misread_confidence == 0.5
    assert measure(THREE, np.array([0, 1, 2])).misread_confidence == 0


def test_the_share_to_refuse_worked_out_by_hand() -> None:
    """Of four digits the third surest is wrong: no wish costs nothing, a third of errors one, none two."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.6, 0.4]])
    labels = np.array([0, 0, 1, 0])
    wishes = (100, 25, 24, 0)
    assert [metrics.share_to_refuse(probabilities, labels, wish) for wish in wishes] == [0, 0, 0.5, 0.5]
    assert metrics.share_to_refuse(probabilities[:1], 1 - labels[:1], 0) == 1


def test_equally_sure_digits_are_refused_together() -> None:
    """A threshold cannot part two digits of the same confidence, one of them wrong."""
    probabilities = np.array([[0.9, 0.1], [0.8, 0.2], [0.8, 0.2]])
    assert metrics.share_to_refuse(probabilities, np.array([0, 0, 1]), 0) == pytest.approx(2 / 3)


@pytest.mark.parametrize("error", [0.0, 1.0, 5.0, 30.0])
def test_refusing_the_share_keeps_to_the_error(error: float) -> None:
    """Where nothing ties, refusing that share leaves no more than the wanted error, and the curve agrees."""
    probabilities, labels = some(6)
    share = metrics.share_to_refuse(probabilities, labels, error)
    assert metrics.reject_curve(probabilities, labels, share + 1e-12) <= error


@pytest.mark.parametrize("places", [1, 6])
def test_auroc_is_that_of_scikit_learn(places: int) -> None:
    """The area under the ROC curve, also with many ties, and it is 1 less itself when the two change places."""
    rng = np.random.default_rng(0)
    digits, others = rng.normal(1, 1, 300).round(places), rng.normal(0, 1, 500).round(places)
    truth = np.concatenate([np.ones(300), np.zeros(500)])
    assert metrics.auroc(digits, others) == pytest.approx(roc_auc_score(truth, np.concatenate([digits, others])))
    assert metrics.auroc(others, digits) == pytest.approx(1 - metrics.auroc(digits, others))
    assert metrics.auroc(np.ones(3), np.ones(2)) == 0.5


@pytest.mark.parametrize("heat", [0.3, 1.0, 8.0])
def test_the_plain_temperature_has_the_least_nll(heat: float) -> None:
    """It follows the scale of the logits, and a temperature a little lower or higher fits worse."""
    rng = np.random.default_rng(1)
    scores = rng.normal(0, 2, (3000, 10))
    labels = np.array([rng.choice(10, p=row) for row in softmax(scores)])
    found = metrics.temperature(heat * scores, labels)
    assert found == pytest.approx(heat, rel=0.1)
    assert found == pytest.approx(heat * metrics.temperature(scores, labels), rel=1e-3)
    costs = [metrics.nll(softmax(heat * scores / (found * step)), labels) for step in (0.97, 1, 1.03)]
    assert costs[1] == min(costs)


def test_figures_over_plain_temperature_scaling() -> None:
    """Plain temperature scaling is 1 over itself; probabilities of logits that are too hot are worse; without, None."""
    rng = np.random.default_rng(2)
    logits = rng.normal(0, 2, (2000, 10))
    labels = np.array([rng.choice(10, p=row) for row in softmax(logits)])
    same = measure(softmax(logits / metrics.temperature(logits, labels)), labels, logits=logits)
    assert (same.nll_over_plain, same.brier_over_plain) == (pytest.approx(1), pytest.approx(1))
    hot = measure(softmax(3 * logits), labels, logits=logits)
    assert hot.nll_over_plain is not None
    assert hot.nll_over_plain > 1.2
    assert measure(softmax(logits), labels).nll_over_plain is None


def test_the_figures_become_json() -> None:
    """Every figure goes through JSON, by its own name."""
    probabilities, labels = some(5)
    found = json.loads(json.dumps(measure(probabilities, labels, logits=np.log(probabilities)).to_dict()))
    assert found["refused_for"][1]["error_percent"] == 0.1
    assert 0 < found["misread_confidence"] < 1
    assert found["nll_over_plain"] == pytest.approx(1, abs=0.02)
