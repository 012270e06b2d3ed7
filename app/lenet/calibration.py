"""From logits to a confidence that means what it says; numpy alone, once a batch, the same in service and evaluation.

Three things that the logits z of a picture say beside which digit is likeliest, each larger the more it is a digit:

    margin   z_top - log sum exp of the nine others: the log-odds of the top digit, by the network as it is
    energy   log sum exp of the ten: a picture like none that was learnt has little of it (Liu et al. 2020, eq. 5)
    odds     energy - z_rubbish, where the network has an eleventh output: the log-odds of its being a digit at all

Taken as 0..1 between the lowest and the highest of the calibration data, they give by one linear form each

    T          exp(...), the temperature of this picture: probabilities = softmax(z / T) over the ten digits. Guo et al.
               (2017) have one for all. As T is the same for all ten, no picture changes its digit by it.
    digitness  1 / (1 + exp(-...)): the probability that there is a digit at all (Platt 1999)

and confidence = digitness * the largest of the probabilities: P(right) = P(a digit) P(right | a digit).
`training.calibrate` fits all of it on digits that the network has not learnt from.
"""

import operator
from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from itertools import pairwise
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

DIGITS: Final = 10
FEATURES: Final[Mapping[int, tuple[str, ...]]] = {10: ("margin", "energy"), 11: ("margin", "energy", "odds")}
"""What is used of a network with so many outputs; with 11 the last one is `no digit`."""

SMALLEST: Final = 1e-16  # of the nine others' share of the sum: a margin is at most 36.8 nats
LIMITS: Final = np.array([7.0, 40.0])  # of log T and of the log-odds of digitness: nothing overflows
LARGEST: Final = 1e6  # of any number of a calibration
CERTAIN: Final = 40.0  # log-odds that are a probability of 1 in float64


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What a batch of logits says."""

    rows: NDArray[np.float64]  # (n, 12): ten probabilities, confidence, digitness

    @property
    def probabilities(self) -> NDArray[np.float64]:
        """Of the ten digits, given that it is one: float64 (n, 10), rows sum to 1."""
        return self.rows[:, :DIGITS]

    @property
    def confidence(self) -> NDArray[np.float64]:
        """That the likeliest digit is right, `no digit at all` counted in: float64 (n,), 0..1."""
        return self.rows[:, DIGITS]

    @property
    def digitness(self) -> NDArray[np.float64]:
        """The probability that there is a digit: float64 (n,), 0..1."""
        return self.rows[:, DIGITS + 1]


@dataclass(frozen=True, kw_only=True)
class Calibration:
    """How a model's logits become probabilities and a confidence. Raises ValueError when a value cannot be.

    Tuples have one number a feature, in the order of FEATURES; weights begin with the constant. A rubbish output that
    rises never makes a picture more of a digit, nor surer of which: the signs of its weights are part of the form.
    """

    classes: int  # outputs of the network, 10 or 11
    lowest: tuple[float, ...]  # nats: where each feature is 0; it counts no further down ...
    highest: tuple[float, ...]  # ... nor further up than here, where it is 1
    temperature: tuple[float, ...]  # weights of log T; that of the odds is at most 0
    digitness: tuple[float, ...]  # weights of the log-odds of a digit; that of the odds is at least 0
    floor: float  # share of the probabilities that is spread evenly: no picture leaves one of the ten at 0
    least_digitness: float  # 0..1: a picture with less is no digit
    target_errors: tuple[float, ...] = ()  # ascending shares, above 0, of what is accepted that may be wrong ...
    thresholds: tuple[float, ...] = ()  # ... and the confidence that keeps to each; never ascending

    def __post_init__(self) -> None:
        if type(self.classes) is not int or self.classes not in FEATURES:
            raise ValueError(f"classes is {self.classes!r}, not one of {', '.join(map(str, FEATURES))}")
        features = len(FEATURES[self.classes])
        for key, length in {
            "lowest": features,
            "highest": features,
            "temperature": features + 1,
            "digitness": features + 1,
            "target_errors": len(self.thresholds) if isinstance(self.thresholds, tuple) else 0,
            "thresholds": len(self.target_errors) if isinstance(self.target_errors, tuple) else 0,
        }.items():
            value = getattr(self, key)
            if not isinstance(value, tuple) or len(value) != length or not all(map(_is_number, value)):
                raise ValueError(f"{key} is {value!r}, not {length} finite numbers")
        for key in ("floor", "least_digitness"):
            if not _is_number(getattr(self, key)):
                raise ValueError(f"{key} is {getattr(self, key)!r}, not a finite number")
        if not all(high - low >= 1 / LARGEST for low, high in zip(self.lowest, self.highest, strict=True)):
            raise ValueError(f"highest is {self.highest!r}, not above lowest, {self.lowest!r}")
        if not (0 <= self.floor < 1 and (self.floor > 0 or not self.thresholds)):
            raise ValueError(f"floor is {self.floor!r}, not from 0 to 1, nor 0 where there are thresholds")
        if not 0 <= self.least_digitness <= 1:
            raise ValueError(f"least_digitness is {self.least_digitness!r}, not from 0 to 1")
        if "odds" in FEATURES[self.classes] and (self.temperature[-1] > 0 or self.digitness[-1] < 0):
            raise ValueError("temperature rises, or digitness falls, with the odds of a digit")
        if not all(0 < value <= 1 for value in self.target_errors) or not _ascend(self.target_errors, operator.lt):
            raise ValueError(f"target_errors is {self.target_errors!r}, not ascending from above 0 to 1")
        if not all(0 <= value <= 1 for value in self.thresholds) or not _ascend(self.thresholds[::-1], operator.le):
            raise ValueError(f"thresholds is {self.thresholds!r}, not descending from 1 to 0")

    @classmethod
    def none(cls, classes: int) -> Self:
        """What a model without a calibration does: the softmax as it is, and the eleventh output's share taken off.

        With it, `no digit` is what the network gives more than all ten. Raises ValueError for another number of
        outputs than 10 or 11.
        """
        features = len(FEATURES.get(classes, ()))
        plain = (0.0,) * features
        return cls(
            classes=classes,
            lowest=(-CERTAIN,) * features,
            highest=(CERTAIN,) * features,
            temperature=(0.0, *plain),
            digitness=(-CERTAIN, 0.0, 0.0, 2 * CERTAIN) if classes == DIGITS + 1 else (CERTAIN, *plain),
            floor=0.0,
            least_digitness=0.5,
        )

    def apply(self, logits: NDArray[np.floating[Any]]) -> Calibrated:
        """What `logits`, (n, classes), say. Raises ValueError for another shape."""
        if logits.ndim != 2 or logits.shape[1] != self.classes:
            raise ValueError(f"logits have the shape {logits.shape}, not (n, {self.classes})")
        rows = np.empty((len(logits), DIGITS + 2))
        below, described = describe(logits)  # (n, 10), (n, features)
        lowest, highest, weights, constants = self._forms
        np.maximum(np.minimum(described, highest, out=described), lowest, out=described)
        linear = described @ weights  # (n, 2)
        linear += constants
        np.maximum(np.minimum(linear, LIMITS, out=linear), -LIMITS, out=linear)
        np.exp(np.negative(linear, out=linear), out=linear)  # 1 / T, and the odds against a digit

        below *= linear[:, :1]
        probabilities = np.exp(below, out=below)  # (n, 10), not yet of sum 1; the top digit's is 1
        share = (1 - self.floor) / np.add.reduce(probabilities, axis=1)  # (n,), the top digit's of the whole
        probabilities *= share[:, None]
        np.add(probabilities, self.floor / DIGITS, out=rows[:, :DIGITS])
        digitness = np.divide(1.0, 1.0 + linear[:, 1], out=rows[:, DIGITS + 1])
        np.multiply(share + self.floor / DIGITS, digitness, out=rows[:, DIGITS])
        return Calibrated(rows)

    def threshold_for(self, target_error: float) -> float:
        """The confidence from which on at most the share `target_error`, 0..1, of what is accepted is wrong.

        Between two targets of the table the stricter one's holds. Under the smallest, which is as little as the
        calibration data could show, each single picture has to be as sure as the target: so 0 accepts nothing. Raises
        ValueError where there is no table.
        """
        if not self.thresholds:
            raise ValueError("there are no thresholds for target errors")
        place = bisect_right(self.target_errors, target_error)
        return self.thresholds[place - 1] if place else max(self.thresholds[0], 1 - target_error)

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(self).items()}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`. Raises ValueError when a key is missing or unknown, or a value cannot be."""
        known = {field.name for field in fields(cls)}
        if missing := sorted(known - set(values)):
            raise ValueError(f"it lacks {', '.join(missing)}")
        if unknown := sorted(set(values) - known):
            raise ValueError(f"it has unknown keys: {', '.join(unknown)}")
        arguments: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        return cls(**arguments)

    @cached_property
    def _forms(self) -> tuple[NDArray[np.float64], ...]:
        """Lowest and highest of each feature; weights (features, 2) of both forms for features in nats; constants (2,).

        What makes 0..1 of the features is in the weights: it is done once, not for every batch.
        """
        lowest, highest = np.array(self.lowest), np.array(self.highest)
        forms = np.array([self.temperature, self.digitness]).T  # (1 + features, 2)
        weights = forms[1:] / (highest - lowest)[:, None]
        return lowest, highest, weights, forms[0] - lowest @ weights


def describe(logits: NDArray[np.floating[Any]]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Of logits (n, 10) or (n, 11): each digit's, less that of the top one, (n, 10); and the FEATURES, (n, features).

    Both float64, features in nats.
    """
    digits = logits[:, :DIGITS].astype(np.float64)  # (n, 10), a copy
    described = np.empty((len(logits), len(FEATURES[logits.shape[1]])))
    top = np.maximum.reduce(digits, axis=1, keepdims=True)  # (n, 1)
    digits -= top
    total = np.add.reduce(np.exp(digits), axis=1)  # (n,), 1 or more
    np.negative(np.log(np.maximum(total - 1, SMALLEST)), out=described[:, 0])
    np.add(np.log(total), top[:, 0], out=described[:, 1])
    if described.shape[1] == 3:
        np.subtract(described[:, 1], logits[:, DIGITS], out=described[:, 2])
    return digits, described


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST  # neither NaN nor infinite


def _ascend(values: Sequence[float], in_order: Callable[[float, float], bool]) -> bool:
    return all(in_order(one, other) for one, other in pairwise(values))
