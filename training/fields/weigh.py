"""Learn the weights of what is seen of a candidate, so that the right strings have the largest share of all paths.

The loss of a string is - log of its posterior: the summed weight of all paths that read so, over that of all paths. Its
gradient is, for each arc, the probability that a free path takes it less the probability that a path of the right
string does (LeCun et al. 1998, section VI.E, discriminative forward training).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.fields.automaton import Automaton
from app.fields.calibration import FEATURES, FieldCalibration
from app.fields.formats import anything
from app.fields.lattice import Constrained, constrained
from app.fields.scores import IDENTITY, arcs, scored
from app.fields.segmentation import Segmentation
from app.fields.symbols import DIGITS, SYMBOLS

Floats = npt.NDArray[np.float64]

SPREAD: Final = 3.0
"""Standard deviation, in nats, of the normal prior on each weight around its plain value."""
OWN: Final = 0.5
"""The same of what a digit's weight is beside that of its group."""

GROUPS: Final = ("1", "digit", ".", ",", "-", "/", "$")
"""Symbols whose weights are much alike: a 1 is narrow, and the other digits have one size."""
GROUP_OF: Final = np.array([GROUPS.index(s if s in GROUPS else "digit") for s in SYMBOLS])  # (symbols,)


@dataclass(frozen=True, eq=False)
class Readings:
    """One field's graph: all that it may be read as, and what is right of that."""

    free: Constrained
    right: Constrained  # has a path


@dataclass(frozen=True, eq=False)
class Lesson:
    """One field to learn from: what is seen of its candidates, and their graph."""

    seen: Floats  # (n, features)
    identity: Floats  # (n, symbols)
    readings: Readings


def readings(segmentation: Segmentation, rights: Iterable[Automaton]) -> Readings | None:
    """The graph of a field under the first automaton of its right readings that any path is accepted by, if one is."""
    lattice = arcs(segmentation, np.zeros((len(segmentation.candidates), len(SYMBOLS))))
    found = (constrained(lattice, right) for right in rights)
    accepted = next((one for one in found if len(one.decimals)), None)
    return None if accepted is None else Readings(constrained(lattice, anything()), accepted)


def learn(lessons: Sequence[Lesson], start: FieldCalibration, rounds: int = 120) -> FieldCalibration:
    """`start` with the weights of the least mean loss, under a normal prior around those of `start`. L-BFGS.

    A symbol's weights are those of its group, and of a digit some of its own beside them.
    """
    prior = torch.from_numpy(start.matrix.copy())
    group_of = torch.from_numpy(GROUP_OF)
    of_group = torch.zeros((len(GROUPS), len(FEATURES)), dtype=torch.float64, requires_grad=True)
    own = torch.zeros((DIGITS, len(FEATURES)), dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([of_group, own], max_iter=rounds, history_size=20, line_search_fn="strong_wolfe")

    def weights() -> torch.Tensor:
        return prior + of_group[group_of] + F.pad(own, (0, 0, 0, len(SYMBOLS) - DIGITS))

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        now = weights()
        losses, gradient = 0.0, np.zeros(now.shape)
        for one in lessons:
            loss, of_one = _loss(one, now.detach().numpy())
            losses += loss
            gradient += of_one
        through = (now * torch.from_numpy(gradient)).sum()  # its gradient is the losses'
        away = (of_group / SPREAD).square().sum() / 2 + (own / OWN).square().sum() / 2
        mean = (losses + through - through.detach() + away) / len(lessons)
        mean.backward()  # type: ignore[no-untyped-call]
        return mean

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    learnt = weights().tolist()
    return replace(start, weights=tuple(tuple(round(value, 4) for value in row) for row in learnt))


def loss_of(lessons: Sequence[Lesson], calibration: FieldCalibration) -> float:
    """The mean of - log posterior of the right texts, in nats."""
    return float(np.mean([_loss(one, calibration.matrix)[0] for one in lessons]))


def excess_of(readings: Readings, score: Floats) -> tuple[float, Floats]:
    """- log posterior of the right readings in nats, by log weights (n, symbols), and its gradient by these.

    It is how much likelier a free path is to take an arc than a path of the right ones.
    """
    lattice = replace(readings.free.lattice, score=score.ravel())
    free, right = replace(readings.free, lattice=lattice), replace(readings.right, lattice=lattice)
    excess: Floats = np.zeros(score.size)
    np.add.at(excess, free.arc, free.occupancy)
    np.subtract.at(excess, right.arc, right.occupancy)
    return float(free.forward - right.forward), np.reshape(excess, score.shape)


def _loss(one: Lesson, weights: Floats) -> tuple[float, Floats]:
    """- log posterior in nats, and its gradient (symbols, features)."""
    loss, excess = excess_of(one.readings, scored(one.seen, one.identity, weights))
    gradient = excess.T @ one.seen
    gradient[:, IDENTITY] += (excess * one.identity).sum(axis=0)
    return loss, gradient
