"""How a field model's answers are weighed, and what its strings' probabilities are worth: fitted on development data.

One calibration a kind of field: amounts are written with other pens and other digits than postal codes.

weights      of what is seen of a candidate, by the symbol that it may be read as (app.fields.scores)
line         how much what is read of the whole line counts beside that (app.fields.ranking)
confidence   1 / (1 + exp(-(offset + slope log-odds of the string's posterior + line_slope log-odds of its likelihood as
             the line is read))) (Platt 1999)
thresholds   the confidence that keeps to each target error
"""

from bisect import bisect_right
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from functools import cached_property
from typing import Any, Final, Self

import numpy as np
import numpy.typing as npt

from app.fields.formats.field import Kind
from app.fields.symbols import DIGITS, SYMBOLS

FEATURES: Final = (
    *("constant", "height", "height squared", "width", "width squared"),
    *("above", "above squared", "below", "below squared"),
    *("overlap", "room", "mass", "pieces", "first", "last", "identity", "digitness"),
)
"""What is seen of a candidate; `app.fields.scores.described` says what each is."""

LARGEST: Final = 1e4  # of any number of a calibration
CERTAIN: Final = 30.0  # log-odds that are taken for a probability of 1


def log_odds(probability: float) -> float:
    """log p / (1 - p), within +-CERTAIN."""
    if probability <= 0:
        return -CERTAIN
    return float(np.clip(np.log(probability) - np.log1p(-min(probability, 1 - 1e-15)), -CERTAIN, CERTAIN))


def plain_weights() -> tuple[tuple[float, ...], ...]:
    """The network as it is for digits; a mark has no more for it than that the network sees no digit."""
    digit = {"identity": 1.0, "digitness": 1.0}
    mark = {"constant": -3.0, "digitness": -0.5}
    rows = [digit] * DIGITS + [mark] * (len(SYMBOLS) - DIGITS)
    return tuple(tuple(row.get(feature, 0.0) for feature in FEATURES) for row in rows)


def _is_number(value: Any) -> bool:
    return type(value) in (int, float) and abs(value) <= LARGEST  # neither NaN nor infinite


@dataclass(frozen=True, kw_only=True)
class FieldCalibration:
    """What was fitted on development data. Raises ValueError when a value cannot be.

    The defaults take the network's scores and the strings' posteriors as they are.
    """

    weights: tuple[tuple[float, ...], ...] = plain_weights()  # (SYMBOLS, FEATURES), of log weights in nats
    offset: float = 0.0  # of the confidence's log-odds
    slope: float = 1.0
    line_weight: float = 0.0  # of the line's log likelihoods, beside the segmentation's log posteriors
    line_slope: float = 0.0
    target_errors: tuple[float, ...] = ()  # ascending shares of what is accepted that may be wrong ...
    thresholds: tuple[float, ...] = ()  # ... and the confidence that keeps to each; never ascending

    def __post_init__(self) -> None:
        if len(self.weights) != len(SYMBOLS) or any(len(row) != len(FEATURES) for row in self.weights):
            raise ValueError(f"weights are not {len(SYMBOLS)} rows of {len(FEATURES)} numbers")
        numbers = [*(value for row in self.weights for value in row), self.offset, self.slope]
        numbers += [self.line_weight, self.line_slope]
        if not all(map(_is_number, [*numbers, *self.target_errors, *self.thresholds])):
            raise ValueError(f"a number is not finite, or above {LARGEST:g}")
        if self.slope <= 0:
            raise ValueError(f"slope is {self.slope!r}, not above 0")
        if min(self.line_weight, self.line_slope) < 0:
            raise ValueError(f"line_weight or line_slope is below 0: {self.line_weight!r}, {self.line_slope!r}")
        if len(self.target_errors) != len(self.thresholds):
            raise ValueError("target_errors and thresholds are not of one length")
        if list(self.target_errors) != sorted(set(self.target_errors)) or any(e <= 0 for e in self.target_errors):
            raise ValueError(f"target_errors is {self.target_errors!r}, not ascending from above 0")
        if list(self.thresholds) != sorted(self.thresholds, reverse=True):
            raise ValueError(f"thresholds is {self.thresholds!r}, not descending")

    @cached_property
    def matrix(self) -> npt.NDArray[np.float64]:
        """The weights, (SYMBOLS, FEATURES)."""
        return np.array(self.weights)

    def confidence(self, posterior: float, likelihood: float = 1.0) -> float:
        """The probability that a string is right, of this posterior (0..1), and this likelihood as the line is read."""
        if posterior <= 0:
            return 0.0
        odds = self.offset + self.slope * log_odds(posterior) + self.line_slope * log_odds(likelihood)
        return float(1 / (1 + np.exp(-np.clip(odds, -CERTAIN, CERTAIN))))

    def threshold(self, target_error: float) -> float:
        """The confidence from which on at most this share (0..1) of what is accepted is wrong.

        Between two targets of the table the stricter one's holds. Under the smallest, and without a table, each single
        string has to be as sure as the target.
        """
        place = bisect_right(self.target_errors, target_error)
        if place:
            return self.thresholds[place - 1]
        return max(1 - target_error, *self.thresholds[:1], 0.0)

    def to_dict(self) -> dict[str, Any]:
        """As manifest.json holds it."""
        return {
            key: [list(one) if isinstance(one, tuple) else one for one in value] if isinstance(value, tuple) else value
            for key, value in asdict(self).items()
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`. Raises ValueError when a key is unknown, or a value cannot be."""
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise ValueError(f"it has unknown keys: {', '.join(unknown)}")
        made: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in values.items()}
        if "weights" in made:
            made["weights"] = tuple(tuple(row) for row in made["weights"])
        return cls(**made)


@dataclass(frozen=True, kw_only=True)
class FieldCalibrations:
    """A calibration for each kind of field."""

    digits: FieldCalibration = FieldCalibration()
    postal_code: FieldCalibration = FieldCalibration()
    amount: FieldCalibration = FieldCalibration()

    def of(self, kind: Kind) -> FieldCalibration:
        """That of a kind."""
        found: FieldCalibration = getattr(self, kind)
        return found

    @property
    def tables(self) -> dict[str, tuple[tuple[float, float], ...]]:
        """Of each kind, the target errors with the confidence that keeps to each."""
        return {kind: tuple(zip(of.target_errors, of.thresholds, strict=True)) for kind, of in vars(self).items()}

    def to_dict(self) -> dict[str, Any]:
        """As manifest.json holds them."""
        return {field.name: getattr(self, field.name).to_dict() for field in fields(self)}

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`. Raises ValueError when a kind or a key is unknown, or a value cannot be."""
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise ValueError(f"it has unknown kinds of fields: {', '.join(unknown)}")
        return cls(**{kind: FieldCalibration.from_dict(of_kind) for kind, of_kind in values.items()})
