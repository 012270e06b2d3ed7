"""What a promise is: a measurement in portions, the bounds it is held to, and a control that must break them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from math import inf

import numpy as np


@dataclass(frozen=True)
class Bound:
    """What a figure may be; with neither limit it is told and nothing more."""

    unit: str
    most: float = inf
    least: float = -inf
    timed: bool = False  # a time, which a noisy machine may spoil: measured once more when it alone is broken

    def broken(self, value: float) -> bool:
        """Whether the value, which may be NaN, is outside."""
        return not self.least <= value <= self.most

    def worse(self, one: float, other: float) -> float:
        """The one that is nearer to breaking it."""
        return max(one, other) if self.least == -inf else min(one, other)

    def text(self) -> str:
        """As the page has it; empty for what has no limit."""
        if self.least == -inf:
            return "" if self.most == inf else f"at most {self.most:,.6g} {self.unit}".rstrip()
        return f"at least {self.least:,.6g} {self.unit}".rstrip()


@dataclass(frozen=True)
class Ask:
    """What one portion is to do."""

    amount: int  # cases
    start: int = 0  # the number of the first, which is how many were done before
    seed: int = 0

    def rng(self) -> np.random.Generator:
        """Of this portion alone: the same whether it follows others in one run or in a later one."""
        return np.random.default_rng([self.seed, self.start])


@dataclass(frozen=True)
class Trial:
    """What one portion showed."""

    amount: int  # cases that were done
    failures: int = 0  # cases in which the promise was broken
    figures: Mapping[str, float] = field(default_factory=dict)  # the worst of this portion, by the bounds' names
    notes: tuple[str, ...] = ()  # what failed, a few words each


@dataclass(frozen=True)
class Promise:
    """One of them. `keep` measures the service, `control` the same way what is known not to keep the promise."""

    number: int  # the page's
    name: str  # the command line's
    says: str
    unit: str  # what an amount counts
    full: int  # cases that prove it
    small: int  # cases that show it, in CI and for the control
    portion: int  # most cases at a time: what was done is kept after each
    bounds: Mapping[str, Bound]
    keep: Callable[[Ask], Trial]
    control: Callable[[Ask], Trial]
    against: str  # what the control is
    in_ci: bool = True  # with `small` cases

    def broken(self, trial: Trial) -> list[str]:
        """What the trial says against the promise; empty when it is kept."""
        found = [f"{trial.failures} of {trial.amount} {self.unit} failed: {'; '.join(trial.notes[:3])}"]
        return (found if trial.failures else []) + [
            f"{name} {value:.4g} {bound.unit}, promised {bound.text()}"
            for name, value, bound in self._bounded(trial)
            if bound.broken(value)
        ]

    def only_late(self, trial: Trial) -> bool:
        """Whether nothing but times speaks against it."""
        return not trial.failures and all(
            bound.timed for _, value, bound in self._bounded(trial) if bound.broken(value)
        )

    def _bounded(self, trial: Trial) -> list[tuple[str, float, Bound]]:
        return [(name, value, self.bounds[name]) for name, value in trial.figures.items()]


def measured(promise: Promise, ask: Ask) -> tuple[Trial, bool]:
    """A portion, and whether it had to be repeated: once, where a time alone broke the promise on a noisy machine."""
    trial = promise.keep(ask)
    if promise.broken(trial) and promise.only_late(trial):
        return promise.keep(ask), True
    return trial, False
