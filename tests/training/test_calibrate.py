"""Fitting a calibration, on logits whose truth is known and against laws."""

from dataclasses import replace

import numpy as np
import pytest
from sklearn.linear_model import LogisticRegression

from app.lenet.calibration import Calibration, describe
from training import calibrate
from training.calibrate import NO_DIGIT, Group, accepting, fit
from training.metrics import ece, nll, softmax, temperature


def digits(count: int, *, heat: float = 1.0, classes: int = 11, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Logits of digits whose truth follows softmax(logits / heat) over the ten; the eleventh is low."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(0, 1, (count, 10)) + 5 * np.eye(10)[rng.integers(0, 10, count)]
    labels = np.array([rng.choice(10, p=row) for row in softmax(scores)])
    return np.concatenate([heat * scores, rng.normal(-3, 2, (count, 1))], axis=1)[:, :classes], labels


def others(count: int, *, classes: int = 11, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """Logits of what is no digit: the ten low, the eleventh mostly high."""
    rng = np.random.default_rng(seed)
    logits = np.concatenate([rng.normal(0, 1, (count, 10)), rng.normal(4, 2, (count, 1))], axis=1)
    return logits[:, :classes], np.full(count, NO_DIGIT)


def groups(count: int = 4000, **options: float) -> list[Group]:
    return [Group("digits", *digits(count, **options), 0.98), Group("others", *others(count // 2), 0.02)]


@pytest.mark.parametrize("heat", [0.5, 3.0])
def test_the_temperature_is_found_again(heat: float) -> None:
    """Logits that are too hot or too cold by a factor give the probabilities that their truth was drawn from."""
    found = fit(groups(heat=heat))
    logits, _ = digits(2000, heat=heat, seed=9)
    np.testing.assert_allclose(found.apply(logits).probabilities, softmax(logits[:, :10] / heat), atol=0.06)


def test_it_is_no_worse_than_plain_temperature_scaling() -> None:
    """On new digits the NLL is that of the best single temperature to a hundredth, where one temperature is right."""
    logits, labels = digits(4000, heat=2.0, seed=9)
    plain = nll(softmax(logits[:, :10] / temperature(logits[:, :10], labels)), labels)
    assert nll(fit(groups(heat=2.0)).apply(logits).probabilities, labels) < 1.01 * plain


def test_pictures_may_have_temperatures_of_their_own() -> None:
    """Where digits with low odds are misread as often as not though the logits look sure, only these lose certainty."""
    sure, truth = digits(6000, heat=2.0)
    doubtful, _ = digits(2000, heat=2.0, seed=3)
    doubtful[:, 10] += 12
    mixed = np.random.default_rng(4).integers(0, 10, 2000)
    wrong = np.where(np.arange(2000) % 2 == 0, mixed, doubtful[:, :10].argmax(axis=1))
    found = fit([("sure", sure, truth, 3.0), ("doubtful", doubtful, wrong, 1.0)])
    assert found.temperature[-1] < 0
    plain = Calibration.none(11)
    assert found.apply(doubtful).probabilities.max(axis=1).mean() < 0.75
    assert found.apply(sure).probabilities.max(axis=1).mean() > 0.85
    assert plain.apply(doubtful).probabilities.max(axis=1).mean() > 0.9


def test_the_digitness_is_a_logistic_regression(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without its prior it is what scikit-learn's fits, with the same features and weights."""
    monkeypatch.setattr(calibrate, "DIGITNESS_SPREAD", 1e6)
    made = [Group("digits", *digits(1500), 0.9), Group("others", *others(500), 0.1)]
    made[1].logits[:100] = digits(100, seed=5)[0]  # some cannot be told apart, else no regression has an end
    found = fit(made)
    logits = np.concatenate([group.logits for group in made])
    low, high = np.array(found.lowest), np.array(found.highest)
    features = np.clip((describe(logits)[1] - low) / (high - low), 0, 1)
    truth = np.concatenate([group.labels != NO_DIGIT for group in made])
    weights = np.concatenate([np.full(len(group.labels), group.weight / len(group.labels)) for group in made])
    oracle = LogisticRegression(C=1e9, tol=1e-9, max_iter=5000).fit(features, truth, sample_weight=2000 * weights)
    np.testing.assert_allclose(found.digitness, [*oracle.intercept_, *oracle.coef_[0]], rtol=2e-2, atol=2e-2)
    expected = oracle.predict_proba(features)[:, 1]
    np.testing.assert_allclose(found.apply(logits).digitness, expected, atol=2e-3)


def test_confidence_is_the_share_that_is_right() -> None:
    """On a new sample of the population, no digits among it, the calibration error is small; unfitted it is not."""
    sample = groups(heat=3.0, count=6000)
    found = fit(sample)
    new, truth = digits(4900, heat=3.0, seed=7)
    none, no_digit = others(100, seed=8)
    logits, labels = np.concatenate([new, none]), np.concatenate([truth, no_digit])
    fitted, plain = found.apply(logits), Calibration.none(11).apply(logits)
    assert ece(fitted.probabilities, labels, confidence=fitted.confidence) < 0.02
    assert ece(plain.probabilities, labels, confidence=plain.confidence) > 0.05


def test_more_of_no_digit_in_the_population_makes_less_sure() -> None:
    """Where more pictures are no digit, what is none is less of a digit, and what cannot be told most of all."""
    rare, often = (
        fit([Group("digits", *digits(3000), 1 - share), Group("others", *others(1000), share)]) for share in (0.01, 0.3)
    )
    logits, _ = others(400, seed=5)
    before, after = rare.apply(logits).digitness, often.apply(logits).digitness
    assert (after < before).mean() > 0.99
    assert (before - after).max() > 0.5


def test_few_digits_are_called_none() -> None:
    """Of the digits at most REFUSED have less than the least digitness, and most of the others have."""
    found = fit(groups())
    assert (found.apply(digits(4000)[0]).digitness < found.least_digitness).mean() <= calibrate.REFUSED
    assert (found.apply(others(2000)[0]).digitness < found.least_digitness).mean() > 0.9


def test_target_errors_are_kept_on_new_pictures() -> None:
    """At each threshold of the table, the share of wrong in a new sample is about the target or less."""
    found = fit(groups(count=8000))
    logits, labels = digits(9800, seed=7)
    none, no_digit = others(200, seed=8)
    answers = found.apply(np.concatenate([logits, none]))
    wrong = answers.probabilities.argmax(axis=1) != np.concatenate([labels, no_digit])
    assert len(found.thresholds) > 3
    for target, threshold in zip(found.target_errors, found.thresholds, strict=True):
        accepted = (answers.confidence >= threshold) & (answers.digitness >= found.least_digitness)
        chance = 3 * np.sqrt(target / max(1, accepted.sum()))  # of both samples
        assert accepted.any()
        assert wrong[accepted].mean() <= target + chance


def test_what_cannot_be_parted_is_accepted_together_or_not() -> None:
    """A target is kept on the calibration data too where right and wrong pictures are equally sure."""
    sure, labels = digits(2000, heat=3.0)
    alike = np.repeat(digits(1, seed=6)[0], 400, axis=0)
    truth = np.full(400, alike[0, :10].argmax())
    truth[200:] = (truth[200:] + 1) % 10  # half of them are misread
    found = fit([("sure", sure, labels, 1.0), ("alike", alike, truth, 0.5)])
    weights = np.repeat([1 / 2000, 0.5 / 400], [2000, 400])
    answers = found.apply(np.concatenate([sure, alike]))
    wrong = answers.probabilities.argmax(axis=1) != np.concatenate([labels, truth])
    for target, threshold in zip(found.target_errors, found.thresholds, strict=True):
        accepted = (answers.confidence >= threshold) & (answers.digitness >= found.least_digitness)
        assert (weights * wrong)[accepted].sum() <= target * weights[accepted].sum()


def test_the_heavier_group_has_the_temperature() -> None:
    """Of a group that needs a high temperature and one that needs a low one, the heavier decides."""
    hot, cold = digits(2000, heat=4.0), digits(2000, heat=0.5, seed=3)
    much, little = (
        fit([("hot", *hot, weight), ("cold", *cold, 1 - weight)]).apply(hot[0]).probabilities.max(axis=1).mean()
        for weight in (0.99, 0.01)
    )
    assert much < little - 0.02


def test_few_pictures_promise_little() -> None:
    """A hundred digits cannot show an error under one in a hundred, though none of them is misread."""
    logits, _ = digits(100, heat=5.0)
    found = fit([("digits", logits, logits[:, :10].argmax(axis=1), 1.0)])
    assert min(found.target_errors) >= 0.01
    assert found.threshold_for(1.0) == 0.0


def test_ten_outputs_without_others() -> None:
    """A network of ten outputs, calibrated on digits alone, takes everything for a digit."""
    found = fit([Group("digits", *digits(3000, heat=2.0, classes=10), 1.0)])
    logits, _ = digits(500, heat=2.0, classes=10, seed=5)
    assert (found.apply(logits).digitness == 1).all()
    np.testing.assert_allclose(found.apply(logits).probabilities, softmax(logits / 2), atol=0.06)


def test_ten_outputs_know_others_by_their_energy() -> None:
    """Where the ten of what is no digit are low, a network of ten outputs finds it by its margin and energy."""
    made = [Group("digits", *digits(3000, classes=10), 0.95), Group("others", *others(1000, classes=10), 0.05)]
    found = fit(made)
    kept, refused = (found.apply(group.logits).digitness for group in made)
    assert np.median(kept) > 0.98
    assert np.median(refused) < 0.6


def test_only_the_proportions_of_the_weights_count() -> None:
    """Weights ten times as large give the same calibration, and so does the order of the groups."""
    usual = fit(groups(count=500))
    heavy = fit([group._replace(weight=10 * group.weight) for group in groups(count=500)][::-1])
    logits, _ = digits(100, seed=5)
    np.testing.assert_allclose(heavy.apply(logits).rows, usual.apply(logits).rows, atol=1e-4)


@pytest.mark.parametrize("share", [0.5, 0.985, 0.99, 1.0])
def test_the_threshold_accepts_the_share_asked_for(share: float) -> None:
    """At least that share reaches it and is not called none; two ten-thousandths higher it would not."""
    logits, _ = digits(1000)
    calibration = replace(fit(groups()), least_digitness=0.0)
    threshold, found = accepting(calibration, logits, share), calibration.apply(logits).confidence
    assert (found >= threshold).mean() >= share
    assert (found >= threshold + 2e-4).mean() < share or share == 1.0
    assert accepting(replace(calibration, least_digitness=1.0), logits, share) == 0


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        ([], "no digit"),
        ([("a", *others(10), 1.0)], "no digit"),
        ([("a", np.zeros((3, 10)), np.zeros(2, int), 1.0)], "a: 3 rows of logits, but 2 labels"),
        ([("a", np.zeros((0, 10)), np.zeros(0, int), 1.0)], "a: 0 rows"),
        ([("a", np.zeros((3, 9)), np.zeros(3, int), 1.0)], r"a: logits are \(3, 9\)"),
        ([("a", *digits(9), 1.0), ("b", *digits(9, classes=10), 1.0)], r"b: logits are \(9, 10\)"),
        ([("a", np.full((3, 10), np.nan), np.zeros(3, int), 1.0)], "a: a logit"),
        ([("a", np.zeros((3, 10)), np.full(3, 11), 1.0)], "a: a logit"),
        ([("a", np.zeros((3, 10)), np.full(3, -1), 1.0)], "a: a logit"),
        ([("a", np.zeros((3, 10)), np.zeros(3, int), 0.0)], "a: a logit"),
        ([("a", np.zeros((3, 10)), np.zeros(3, int), float("nan"))], "a: a logit"),
    ],
)
def test_groups_that_cannot_be(bad: list[tuple[str, np.ndarray, np.ndarray, float]], message: str) -> None:
    """A group that is no group, or none with a digit, is a ValueError that names it."""
    with pytest.raises(ValueError, match=message):
        fit(bad)
