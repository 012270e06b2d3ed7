"""Fit how strings of one kind are weighed, what that makes them worth, and which threshold keeps to which error.

The weights of a segmentation are learnt on one half of the strings; how much what is read of the whole line counts
beside them, the confidence and the thresholds are fitted on the other. There are too few cheques to part them: those of
each fold are answered by networks and weights that were learnt without them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.fields import reader
from app.fields.calibration import FieldCalibration, log_odds
from app.fields.formats import anything
from app.fields.lattice import constrained
from app.fields.ranking import evidence, listed
from app.fields.scores import described, lattice_of
from training.calibrate import TARGET_ERRORS
from training.fields import weigh
from training.fields.development import Shown
from training.fields.truth import right_readings

Floats = npt.NDArray[np.float64]

ROUNDS: Final = 90
"""Of learning the weights; three times as many read no more strings right."""


@dataclass(frozen=True, eq=False)
class Listed:
    """One string's texts that are weighed."""

    texts: tuple[str, ...]
    posteriors: Floats  # (n,), logarithms
    likelihoods: Floats  # (n,), logarithms: what is read of the whole line
    right: tuple[bool, ...]
    acceptable: bool  # nothing but the confidence may speak against the best


@dataclass(frozen=True)
class Answer:
    """One string's best reading."""

    posterior: float
    likelihood: float
    right: bool
    acceptable: bool


@dataclass(frozen=True)
class Fitted:
    """The calibration of one kind, and how the strings were answered that its confidence was fitted to."""

    calibration: FieldCalibration
    of_folds: dict[int, FieldCalibration]  # of cheques: what was fitted without a fold's
    answers: tuple[Answer, ...]


def fit(for_weights: Sequence[Shown], for_confidence: Sequence[Shown], cheques: Sequence[Shown]) -> Fitted:
    """The calibration that these strings say; cheques teach the weights, and the confidence by their folds."""
    weights = _weights([*for_weights, *cheques])
    own = _listed(for_confidence, weights)
    without: dict[int, FieldCalibration] = {}
    of_cheques: dict[int, list[Listed]] = {}
    for fold in sorted({one.fold for one in cheques}):
        without[fold] = _weights([*for_weights, *(one for one in cheques if one.fold != fold)])
        of_cheques[fold] = _listed([one for one in cheques if one.fold == fold], without[fold])
    of_folds = {}
    for fold, its_weights in without.items():
        others = [one for other, of_fold in of_cheques.items() if other != fold for one in of_fold]
        of_folds[fold], _ = _calibrated(its_weights, [*_listed(for_confidence, its_weights), *others])
    calibration, answers = _calibrated(weights, [*own, *(one for of_fold in of_cheques.values() for one in of_fold)])
    return Fitted(calibration, of_folds, answers)


def _weights(strings: Sequence[Shown]) -> FieldCalibration:
    lessons = []
    for one in strings:
        readings = weigh.readings(one.proposal.segmentation, right_readings(one.format, one.texts, one.written))
        if readings:
            lessons.append(weigh.Lesson(*described(one.proposal.segmentation, one.log_probs), readings))
    return weigh.learn(lessons, FieldCalibration(), ROUNDS)


def _listed(strings: Iterable[Shown], weights: FieldCalibration) -> list[Listed]:
    found = []
    for one in strings:
        lattice = lattice_of(one.proposal.segmentation, one.log_probs, weights)
        whole = constrained(lattice, anything()).forward
        texts = listed(lattice, constrained(lattice, one.format.automaton), one.format, one.line_log_probs)
        posteriors, likelihoods = evidence(texts, whole, one.line_log_probs)
        reading = reader.decode(one.proposal, one.log_probs, one.line_log_probs, one.format, n_best=1, weights=weights)
        names = tuple(text.text for text in texts)
        right = tuple(one.is_field and name in one.texts for name in names)
        found.append(Listed(names, posteriors, likelihoods, right, bool(reading.text) and not reading.reasons))
    return found


def _calibrated(weights: FieldCalibration, strings: Sequence[Listed]) -> tuple[FieldCalibration, tuple[Answer, ...]]:
    """Weights with what the strings say of the line's weight, the confidence and the thresholds; and their answers."""
    line_weight = _line_weight(strings)
    answers = tuple(_answer(one, line_weight) for one in strings)
    offset, slope, line_slope = _logistic([one for one in answers if one.acceptable])
    whole = replace(weights, offset=offset, slope=slope, line_weight=line_weight, line_slope=line_slope)
    return _with_thresholds(whole, answers), answers


def _line_weight(strings: Iterable[Listed]) -> float:
    """What a line's log likelihoods weigh beside log posteriors, so that a right text is chosen among those listed.

    A conditional logit over the texts of each string (McFadden 1974): both have a factor, their ratio is the weight.
    """
    of_texts = [
        (torch.from_numpy(np.stack([one.posteriors, one.likelihoods], 1)), torch.tensor(one.right))
        for one in strings
        if any(one.right) and not all(one.right)
    ]
    factors = torch.tensor([1.0, 0.5], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([factors], max_iter=100, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        scores = [(of @ factors, right) for of, right in of_texts]
        losses = [torch.logsumexp(score, 0) - torch.logsumexp(score[right], 0) for score, right in scores]
        loss = torch.stack([*losses, (factors - torch.tensor([1.0, 0.5])).square().sum()]).sum()
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    posterior, likelihood = map(float, factors.tolist())
    return round(max(likelihood, 0.0) / max(posterior, 0.05), 4)


def _answer(one: Listed, line_weight: float) -> Answer:
    if not one.texts:
        return Answer(0.0, 0.0, right=False, acceptable=False)
    best = int(np.argmax(one.posteriors + line_weight * one.likelihoods))
    posterior, likelihood = np.exp([one.posteriors[best], one.likelihoods[best]]).tolist()
    return Answer(posterior, likelihood, one.right[best], one.acceptable)


def _logistic(answers: Sequence[Answer]) -> tuple[float, float, float]:
    """Offset and slopes of the log-odds of being right, over those of the posterior and the likelihood (Platt 1999)."""
    odds = torch.tensor([[1.0, log_odds(one.posterior), log_odds(one.likelihood)] for one in answers])
    odds = odds.reshape(-1, 3).double()
    right = torch.tensor([float(one.right) for one in answers], dtype=torch.float64)
    plain = torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64)
    spread = torch.tensor([5.0, 1.0, 1.0], dtype=torch.float64)
    form = plain.clone().requires_grad_()
    optimizer = torch.optim.LBFGS([form], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        prior = ((form - plain) / spread).square().sum() / 2
        loss = F.binary_cross_entropy_with_logits(odds @ form, right, reduction="sum") + prior
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    offset, slope, line_slope = form.tolist()
    return round(offset, 4), round(max(slope, 0.05), 4), round(max(line_slope, 0.0), 4)


def _with_thresholds(calibration: FieldCalibration, answers: Sequence[Answer]) -> FieldCalibration:
    """The least confidence at which the share of wrong among the accepted keeps to each target error.

    One wrong string more is counted than was found (conformal risk control, Angelopoulos et al. 2022, eq. 4).
    """
    sure = np.array(
        [calibration.confidence(one.posterior, one.likelihood) if one.acceptable else -1.0 for one in answers]
    )
    wrong = np.array([not one.right for one in answers])
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], wrong[order]
    risk = (np.cumsum(wrong) + 1) / np.arange(1, len(sure) + 1)
    may_end = (sure >= 0) & np.append(np.diff(sure) < 0, True)
    targets, thresholds = [], []
    for target in TARGET_ERRORS:
        within = np.flatnonzero(may_end & (risk <= target))
        if len(within):
            targets.append(target)
            thresholds.append(float(sure[within[-1]]))
    return replace(calibration, target_errors=tuple(targets), thresholds=tuple(thresholds))
