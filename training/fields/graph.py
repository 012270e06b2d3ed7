"""Learning to read whole fields: the network is moved so that the right string has the largest share of all paths.

The graph transformer network of LeCun et al. 1998, section VI.E: - log posterior of the right readings is
differentiated through the lattice and the weights of what is seen of a candidate (`app.fields.scores`) down to the
network. That says of every candidate how it should be called among its rivals, which no label of a single one does.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.fields.calibration import FEATURES, FieldCalibration
from app.fields.scores import DIGITNESS, IDENTITY, ONE, SURE, with_network
from app.fields.symbols import DIGITS, SYMBOLS
from training.fields import weigh
from training.fields.examples import FULL, CutField
from training.fields.weigh import Lesson, Readings

FIRST = 800  # fields from which the weights are learnt that the network is differentiated through
ROUNDS = 60  # of learning them


@dataclass(frozen=True, eq=False)
class _String:
    inputs: Tensor  # uint8 (n, 1, 32, 32)
    seen: Tensor  # float32 (n, features), but for what the network says
    readings: Readings


class GraphLoss:
    """The mean of - log posterior of right readings, in nats, over another few of all fields at each step."""

    def __init__(self, strings: Sequence[_String], weights: Tensor, weight: float, seed: int) -> None:
        self.strings = strings
        self.weights = weights  # float32 (symbols, features)
        self.weight = weight
        self.seed = seed

    def __call__(self, model: nn.Module, epoch: int, step: int, steps: int) -> Tensor:
        """`weight` times that loss; in the `steps` of an epoch each field has its turn once, in a new order."""
        order = np.random.default_rng((self.seed, epoch)).permutation(len(self.strings))
        turn = order[step * len(order) // steps : (step + 1) * len(order) // steps]
        if not len(turn):
            return torch.zeros(())
        strings = [self.strings[index] for index in turn.tolist()]
        log_probs = F.log_softmax(model(torch.cat([one.inputs for one in strings]).float() / FULL), 1)
        score = scored(torch.cat([one.seen for one in strings]), log_probs, self.weights)
        parts = score.detach().double().numpy()
        loss, excess, first = 0.0, [], 0
        for one in strings:
            of_one, its_excess = weigh.excess_of(one.readings, parts[first : first + len(one.seen)])
            first += len(one.seen)
            loss += of_one
            excess.append(its_excess)
        through = (score * torch.from_numpy(np.concatenate(excess)).float()).sum()  # its gradient is the loss's
        return self.weight / len(strings) * (through - through.detach() + loss)


def graph_loss(model: nn.Module, fields: Sequence[CutField], weight: float, seed: int) -> GraphLoss:
    """The loss of these fields, by weights that are learnt for `model` as it is now."""
    readable = [(one, one.readings) for one in fields if one.readings]
    lessons = []
    for index in np.random.default_rng(seed).permutation(len(readable))[:FIRST].tolist():
        one, readings = readable[index]
        with torch.no_grad():
            log_probs = F.log_softmax(model(torch.from_numpy(one.inputs).float() / FULL), 1).double().numpy()
        lessons.append(Lesson(*with_network(one.seen, log_probs), readings))
    learnt = weigh.learn(lessons, FieldCalibration(), ROUNDS)
    strings = [
        _String(torch.from_numpy(one.inputs), torch.from_numpy(one.seen).float(), readings)
        for one, readings in readable
    ]
    return GraphLoss(strings, torch.from_numpy(learnt.matrix).float(), weight, seed)


def scored(seen: Tensor, log_probs: Tensor, weights: Tensor) -> Tensor:
    """Log weights (n, symbols) as `app.fields.scores` has them, differentiable by the log-probabilities (n, 11)."""
    of_digit = torch.logsumexp(log_probs[:, :DIGITS], 1)
    digitness = (of_digit - log_probs[:, DIGITS]).clamp(-SURE, SURE)
    identity = (log_probs[:, :DIGITS] - of_digit[:, None]).clamp(min=-SURE)
    identity = torch.cat((identity, identity[:, ONE : ONE + 1].expand(-1, len(SYMBOLS) - DIGITS)), 1)
    others = [index for index in range(len(FEATURES)) if index not in (DIGITNESS, IDENTITY)]
    of_symbol = seen[:, others] @ weights[:, others].T + digitness[:, None] * weights[:, DIGITNESS]
    return of_symbol + identity * weights[:, IDENTITY]
