"""Figures of several rounds: a machine's speed changes from minute to minute, so what is compared shares a round."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class Spread:
    """The median of the rounds, between the lowest and the highest."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Self:
        """Raises ValueError without values."""
        if not values:
            raise ValueError("no rounds")
        return cls(statistics.median(values), min(values), max(values))

    def text(self, form: str = ".2f", scale: float = 1.0) -> str:
        """`1.75 (1.70-1.81)`."""
        middle, low, high = (format(value * scale, form) for value in (self.median, self.low, self.high))
        return f"{middle} ({low}-{high})"


def ratio(ours: Sequence[float], theirs: Sequence[float]) -> Spread:
    """Ours over theirs, round by round. Raises ValueError when the rounds are not the same."""
    return Spread.of([one / other for one, other in zip(ours, theirs, strict=True)])
