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

from app.fields.automaton import Automaton
from app.fields.calibration import FEATURES, GROUPS, FieldCalibration
from app.fields.formats import anything
from app.fields.lattice import Constrained, constrained
from app.fields.scores import GROUP_OF, IDENTITY, arcs, scored
from app.fields.segmentation import Segmentation
from app.fields.symbols import SYMBOLS

Floats = npt.NDArray[np.float64]

SPREAD: Final = 3.0
"""Standard deviation, in nats, of the normal prior on each weight around its plain value."""


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
    """`start` with the weights of the least mean loss, under a normal prior around those of `start`. L-BFGS."""
    prior = torch.from_numpy(start.matrix.copy())
    weights = prior.clone()
    optimizer = torch.optim.LBFGS([weights], max_iter=rounds, history_size=20, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        losses, gradient = 0.0, np.zeros((len(GROUPS), len(FEATURES)))
        for one in lessons:
            loss, of_one = _loss(one, weights.numpy())
            losses += loss
            gradient += of_one
        away = (weights - prior) / SPREAD
        weights.grad = torch.from_numpy(gradient / len(lessons)) + away / SPREAD / len(lessons)
        return torch.tensor(losses / len(lessons)) + away.square().sum() / 2 / len(lessons)

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    return replace(start, weights=tuple(tuple(round(value, 4) for value in row) for row in weights.tolist()))


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
    """- log posterior in nats, and its gradient (GROUPS, FEATURES)."""
    score = scored(one.seen, one.identity, weights)
    loss, excess = excess_of(one.readings, score)
    by_group = np.zeros((len(GROUPS), len(score)))
    np.add.at(by_group, GROUP_OF, excess.T)
    gradient = by_group @ one.seen
    np.add.at(gradient[:, IDENTITY], GROUP_OF, (excess * one.identity).sum(axis=0))
    return loss, gradient
