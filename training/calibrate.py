"""Fit a calibration to what a network answers on pictures that it has not learnt from.

The digits and other pictures come as groups of several origins, each with a weight of its own: together they are the
population for which the confidence shall be true and the target errors shall hold. Their weights say, for one, how
often a picture is no digit at all. Everything here is computed from logits; no file is read.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.lenet.calibration import DIGITS, FEATURES, Calibration, describe

Array = npt.NDArray[np.float64]

NO_DIGIT: Final = DIGITS
"""The label of what is no digit."""

FLOOR: Final = 1e-5
"""Spread evenly over the ten: some ten thousand digits cannot show that anything is rarer than that."""

TEMPERATURE_SPREAD: Final = 0.2
"""How far from the same T for all pictures it may go, as the deviation of a normal prior on each weight of log T: that
many weights more would otherwise cost on new digits what they gain on the few misread ones that they are fitted to."""

DIGITNESS_SPREAD: Final = 2.0
"""The same for the log-odds of a digit; the prior's mean is the network's own eleventh output."""

REACH: Final = 0.001
"""Share of the digits, and of the other pictures, beyond the range of a feature on either side."""

REFUSED: Final = 0.004
"""At most this share of the digits is called none."""

TARGET_ERRORS: Final = (
    *(0.0001, 0.00015, 0.0002, 0.0003, 0.0005, 0.0007),
    *(0.001, 0.0015, 0.002, 0.003, 0.005, 0.007),
    *(0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1),
)
"""The target errors that thresholds are looked for; those that the data cannot show are left out."""


class Group(NamedTuple):
    """Pictures of one origin."""

    name: str
    logits: npt.NDArray[np.floating[Any]]  # (n, 10) or (n, 11), the same for all groups
    labels: npt.NDArray[np.integer[Any]]  # (n,), 0..9, or 10: no digit
    weight: float  # of all its pictures together


@dataclass(frozen=True)
class _Pictures:
    """The pictures of all groups in a row."""

    logits: Array  # (n, classes)
    labels: npt.NDArray[np.int64]  # (n,)
    weights: Array  # (n,), of sum 1

    def take(self, chosen: npt.NDArray[np.bool_]) -> "_Pictures":
        """Those that are chosen, their weights again of sum 1."""
        weights = self.weights[chosen]
        return _Pictures(self.logits[chosen], self.labels[chosen], weights / weights.sum())

    @property
    def effective(self) -> float:
        """How many pictures of equal weight would say as much (Kish 1965)."""
        return float(1 / (self.weights**2).sum())


def fit(groups: Sequence[Group | tuple[str, Any, Any, float]]) -> Calibration:
    """The calibration for the population that the groups are, each taken by its weight.

    The temperatures are those of the least NLL on the digits, the digitness that of the least NLL of digit or none;
    each under a normal prior on its weights. Groups without a digit may be missing: then the digitness is the network's
    own. Raises ValueError when there is no digit, or a group is not what it should be.
    """
    pictures = _gathered([Group(*group) for group in groups])
    is_digit = pictures.labels != NO_DIGIT
    if not is_digit.any():
        raise ValueError("there is no digit to calibrate on")
    plain = Calibration.none(pictures.logits.shape[1])
    lowest, highest = _range(pictures, is_digit)
    calibration = replace(
        plain,
        lowest=tuple(lowest.tolist()),
        highest=tuple(highest.tolist()),
        digitness=_own_digitness(plain.classes, lowest, highest),
        floor=FLOOR,
    )
    digits = pictures.take(is_digit)
    calibration = replace(calibration, temperature=_temperature(calibration, digits))
    if not is_digit.all():
        calibration = replace(calibration, digitness=_digitness(calibration, pictures, is_digit))
    evens = 0.5 if is_digit.all() else float(pictures.weights[is_digit].sum())
    calibration = replace(calibration, least_digitness=_least_digitness(calibration, digits, evens))
    targets, thresholds = _promises(calibration, pictures)
    return replace(calibration, target_errors=targets, thresholds=thresholds)


def accepting(calibration: Calibration, logits: npt.NDArray[np.floating[Any]], share: float) -> float:
    """The confidence, rounded down to 4 places, from which at least `share` of these digits (n, classes) is accepted.

    Those that are called no digit count as not accepted, so that a share above theirs gives 0.
    """
    found = calibration.apply(logits)
    surest_first = np.sort(np.where(found.digitness < calibration.least_digitness, -1.0, found.confidence))[::-1]
    needed = int(np.ceil(share * len(surest_first) - 1e-9))  # 0.99 * 1000 must not become 990.0000001
    return max(0.0, float(np.floor(surest_first[max(needed, 1) - 1] * 10_000) / 10_000))


def _gathered(groups: Sequence[Group]) -> _Pictures:
    parts: list[tuple[Array, npt.NDArray[np.int64], Array]] = []
    for name, logits, labels, weight in groups:
        if logits.ndim != 2 or logits.shape[1] not in FEATURES or logits.shape[1] != groups[0].logits.shape[1]:
            raise ValueError(f"{name}: logits are {logits.shape}, not (n, 10) or (n, 11) as in all groups")
        if len(logits) != len(labels) or len(labels) == 0:
            raise ValueError(f"{name}: {len(logits)} rows of logits, but {len(labels)} labels")
        if not np.isfinite(logits).all() or labels.min() < 0 or labels.max() > NO_DIGIT or not 0 < weight < np.inf:
            raise ValueError(f"{name}: a logit, a label or the weight is out of its range")
        parts.append((logits.astype(np.float64), labels.astype(np.int64), np.full(len(labels), weight / len(labels))))
    if not parts:
        raise ValueError("there is no digit to calibrate on")
    weights = np.concatenate([part[2] for part in parts])
    return _Pictures(
        logits=np.concatenate([part[0] for part in parts]),
        labels=np.concatenate([part[1] for part in parts]),
        weights=weights / weights.sum(),
    )


def _range(pictures: _Pictures, is_digit: npt.NDArray[np.bool_]) -> tuple[Array, Array]:
    """Lowest and highest of each feature, in digits and in the others together, but for the outermost of each."""
    _, features = describe(pictures.logits)
    parts = [part for part in (features[is_digit], features[~is_digit]) if len(part)]
    lowest = np.min([np.quantile(part, REACH, axis=0) for part in parts], axis=0)
    highest = np.max([np.quantile(part, 1 - REACH, axis=0) for part in parts], axis=0)
    return lowest, np.maximum(highest, lowest + 1e-3)


def _own_digitness(classes: int, lowest: Array, highest: Array) -> tuple[float, ...]:
    """The weights that leave the eleventh output what it is; without one everything is a digit."""
    if classes == DIGITS:
        return Calibration.none(classes).digitness
    return (float(lowest[-1]), 0.0, 0.0, float(highest[-1] - lowest[-1]))


def _unit(calibration: Calibration, logits: Array) -> Tensor:
    """1 and the features as 0..1: float64 (n, 1 + features)."""
    _, features = describe(logits)
    lowest, highest = np.array(calibration.lowest), np.array(calibration.highest)
    unit = np.clip((features - lowest) / (highest - lowest), 0, 1)
    return torch.from_numpy(np.concatenate([np.ones((len(unit), 1)), unit], axis=1))


def _temperature(calibration: Calibration, digits: _Pictures) -> tuple[float, ...]:
    below, _ = describe(digits.logits)
    scores, unit = torch.from_numpy(below), _unit(calibration, digits.logits)
    truth, share = torch.from_numpy(digits.labels)[:, None], torch.from_numpy(digits.weights)
    floor = torch.tensor(np.log(FLOOR / DIGITS))

    def cost(weights: Tensor) -> Tensor:
        log_probabilities = F.log_softmax(scores * torch.exp(-(unit @ weights))[:, None], dim=1)
        of_truth = torch.logaddexp(log_probabilities.gather(1, truth)[:, 0], floor)
        prior = (weights[1:] / TEMPERATURE_SPREAD).square().sum() / (2 * digits.effective)
        return prior - share @ of_truth

    return _least(cost, torch.zeros(unit.shape[1], dtype=torch.float64), calibration.classes, sign=-1)


def _digitness(calibration: Calibration, pictures: _Pictures, is_digit: npt.NDArray[np.bool_]) -> tuple[float, ...]:
    """Logistic regression of digit or none, with a prior."""
    unit = _unit(calibration, pictures.logits)
    truth, share = torch.from_numpy(is_digit.astype(np.float64)), torch.from_numpy(pictures.weights)
    start = torch.tensor(calibration.digitness, dtype=torch.float64)

    def cost(weights: Tensor) -> Tensor:
        losses = F.binary_cross_entropy_with_logits(unit @ weights, truth, reduction="none")
        prior = ((weights - start)[1:] / DIGITNESS_SPREAD).square().sum() / (2 * pictures.effective)
        return prior + share @ losses

    return _least(cost, start, calibration.classes, sign=1)


def _least(cost: Callable[[Tensor], Tensor], start: Tensor, classes: int, *, sign: int) -> tuple[float, ...]:
    """The weights of the least cost; that of the odds is 0 where it would have another sign than it may."""
    weights = _minimum(cost, start)
    if classes > DIGITS and sign * weights[-1] < 0:
        last = torch.zeros_like(weights[-1:])
        weights = torch.cat([_minimum(lambda rest: cost(torch.cat([rest, last])), start[:-1]), last])
    return tuple(weights.tolist())


def _minimum(cost: Callable[[Tensor], Tensor], start: Tensor) -> Tensor:
    weights = start.clone().requires_grad_()
    optimizer = torch.optim.LBFGS(
        [weights], max_iter=500, tolerance_grad=1e-10, tolerance_change=1e-14, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        value = cost(weights)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return weights.detach()


def _least_digitness(calibration: Calibration, digits: _Pictures, evens: float) -> float:
    """`evens`, the digitness of what looks as much like a digit as like none, or less, so as to refuse few digits.

    In a population with the share s of digits a picture that is as frequent among digits as among the others has a
    digitness of s. What is no digit is rare where digits are read, and where it is not, it is all there is: so it is
    not the rarity that decides.
    """
    digitness = calibration.apply(digits.logits).digitness
    order = np.argsort(digitness, kind="stable")
    first_kept = int((np.cumsum(digits.weights[order]) > REFUSED).argmax())
    return min(evens, float(np.floor(digitness[order][first_kept] * 10_000) / 10_000))


def _promises(calibration: Calibration, pictures: _Pictures) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Target errors, and the least confidence at which the share of wrong among the accepted keeps to each.

    As in conformal risk control (Angelopoulos et al. 2022, eq. 4) one wrong picture more is counted than was found:
    the next one, not yet seen, may be wrong. So n pictures cannot promise an error under 1 / n.
    """
    found = calibration.apply(pictures.logits)
    wrong = found.probabilities.argmax(axis=1) != pictures.labels  # what is no digit is never right
    sure = np.where(found.digitness < calibration.least_digitness, -1.0, found.confidence)
    order = np.argsort(-sure, kind="stable")
    sure, weights = sure[order], pictures.weights[order]
    risk = (np.cumsum(weights * wrong[order]) + 1 / len(sure)) / np.cumsum(weights)
    may_end = (sure >= 0) & np.append(np.diff(sure) < 0, True)  # equally sure ones are accepted together
    promises = []
    for target in TARGET_ERRORS:
        within = np.flatnonzero(may_end & (risk <= target))
        if len(within):
            last = int(within[-1])
            accepts_all = last == len(sure) - 1 or sure[last + 1] < 0
            promises.append((target, 0.0 if accepts_all else float(sure[last])))
    return tuple(target for target, _ in promises), tuple(threshold for _, threshold in promises)
