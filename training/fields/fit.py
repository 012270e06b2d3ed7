"""Fit how strings of one kind are weighed, what their posterior is worth, and which threshold keeps to which error.

The weights are learnt on one half of the strings; the confidence and the thresholds are fitted on the other. There are
too few cheques to part them: those of each fold are answered by weights that were learnt without them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.fields import reader
from app.fields.calibration import CERTAIN, FieldCalibration
from app.fields.scores import described
from training.calibrate import TARGET_ERRORS
from training.fields import weigh
from training.fields.development import Shown
from training.fields.truth import right_readings

ROUNDS: Final = 90
"""Of learning the weights; three times as many read no more strings right."""


@dataclass(frozen=True)
class Answer:
    """One string's best reading."""

    posterior: float
    right: bool
    acceptable: bool  # nothing but the confidence may speak against it


@dataclass(frozen=True)
class Fitted:
    """The calibration of one kind, and how the strings were answered that its confidence was fitted to."""

    calibration: FieldCalibration
    of_folds: dict[int, FieldCalibration]  # of cheques: what was fitted without a fold's
    answers: tuple[Answer, ...]


def fit(for_weights: Sequence[Shown], for_confidence: Sequence[Shown], cheques: Sequence[Shown]) -> Fitted:
    """The calibration that these strings say; cheques teach the weights, and the confidence by their folds."""
    weights = _weights([*for_weights, *cheques])
    own = _answers(for_confidence, weights)
    without: dict[int, FieldCalibration] = {}
    of_cheques: dict[int, list[Answer]] = {}
    for fold in sorted({one.fold for one in cheques}):
        without[fold] = _weights([*for_weights, *(one for one in cheques if one.fold != fold)])
        of_cheques[fold] = _answers([one for one in cheques if one.fold == fold], without[fold])
    answers = [*own, *(answer for of_fold in of_cheques.values() for answer in of_fold)]
    of_folds = {}
    for fold, its_weights in without.items():
        others = [answer for other, of_fold in of_cheques.items() if other != fold for answer in of_fold]
        of_folds[fold] = _calibrated(its_weights, [*_answers(for_confidence, its_weights), *others])
    return Fitted(_calibrated(weights, answers), of_folds, tuple(answers))


def _weights(strings: Sequence[Shown]) -> FieldCalibration:
    lessons = []
    for one in strings:
        readings = weigh.readings(one.proposal.segmentation, right_readings(one.format, one.texts, one.written))
        if readings:
            lessons.append(weigh.Lesson(*described(one.proposal.segmentation, one.log_probs), readings))
    return weigh.learn(lessons, FieldCalibration(), ROUNDS)


def _answers(strings: Iterable[Shown], weights: FieldCalibration) -> list[Answer]:
    answers = []
    for one in strings:
        reading = reader.decode(one.proposal, one.log_probs, one.format, n_best=1, weights=weights)
        right = one.is_field and reading.text in one.texts
        answers.append(Answer(reading.confidence, right, bool(reading.text) and not reading.reasons))
    return answers


def _calibrated(weights: FieldCalibration, answers: Sequence[Answer]) -> FieldCalibration:
    """Weights with the confidence and the thresholds that the answers to strings say."""
    offset, slope = _logistic([one for one in answers if one.acceptable])
    return _with_thresholds(replace(weights, offset=offset, slope=slope), answers)


def _logistic(answers: Iterable[Answer]) -> tuple[float, float]:
    """Offset and slope of the log-odds of being right, over those of the posterior (Platt 1999)."""
    posterior = np.array([one.posterior for one in answers]).clip(1e-12, 1 - 1e-12)
    odds = torch.from_numpy(np.clip(np.log(posterior) - np.log1p(-posterior), -CERTAIN, CERTAIN))
    right = torch.tensor([float(one.right) for one in answers], dtype=torch.float64)
    form = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([form], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        prior = form[0].square() / 50 + (form[1] - 1).square() / 2
        loss = F.binary_cross_entropy_with_logits(form[0] + form[1] * odds, right, reduction="sum") + prior
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    offset, slope = form.tolist()
    return round(offset, 4), round(max(slope, 0.05), 4)


def _with_thresholds(calibration: FieldCalibration, answers: Sequence[Answer]) -> FieldCalibration:
    """The least confidence at which the share of wrong among the accepted keeps to each target error.

    One wrong string more is counted than was found (conformal risk control, Angelopoulos et al. 2022, eq. 4).
    """
    sure = np.array([calibration.confidence(one.posterior) if one.acceptable else -1.0 for one in answers])
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
