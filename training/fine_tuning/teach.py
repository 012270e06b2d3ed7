"""The epochs of a fine-tuning, and the choice among the weights that they give."""

import copy
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor, nn

from training.fine_tuning.figures import Figures, figures
from training.fine_tuning.options import Options
from training.inputs import Examples
from training.progress import Reporter
from training.trainer import Trainer, logits_of

SHARES = (0.25, 0.5, 0.75, 1.0)
"""How far from the model's weights towards those after an epoch one may go.

On the straight line between them lie weights that keep nearly all of the old and have most of the new (Wortsman et al.
2022, "Robust fine-tuning of zero-shot models").
"""

Weights = Mapping[str, Tensor]


@dataclass(frozen=True)
class Validation:
    """What is measured after every epoch."""

    own: Examples  # the own pictures that are held out
    old: Examples  # digits of the model's own run that were held out there
    rubbish: Examples | None  # and what is no digit, of the same


@dataclass(frozen=True)
class Candidate:
    """Weights that may be taken, and what they read; epoch 0 is the model as it was."""

    epoch: int
    share: float  # of the way from the model's weights to those after the epoch
    loss: float | None  # nats, of the epoch
    own: Figures
    old: Figures
    rubbish: Figures | None

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Choice:
    """The weights that are taken."""

    candidate: Candidate
    refusal: str | None  # why the model with them should not be served


def teach(trainer: Trainer, validation: Validation, reporter: Reporter) -> tuple[list[Candidate], list[Weights]]:
    """Run all epochs: every candidate, the model as it was first; and the weights before the first and after each."""
    probe = copy.deepcopy(trainer.averaged)  # holds each candidate's weights in turn
    log: list[Candidate] = []
    weights: list[Weights] = []

    def note(share: float, loss: float | None) -> None:
        rubbish = None if validation.rubbish is None else _figures(probe, validation.rubbish)
        own, old = _figures(probe, validation.own), _figures(probe, validation.old)
        log.append(Candidate(trainer.epoch, share, loss, own, old, rubbish))

    def say() -> None:
        last = log[-1]
        parts = {"own held out": last.own, "old digits": last.old, "no digits": last.rubbish}
        errors = (f"{name} {part.error_percent:5.2f} %" for name, part in parts.items() if part)
        taught = "       before" if last.loss is None else f"  loss {last.loss:.4f}"
        reporter.line(f"epoch {last.epoch:2}/{trainer.recipe.epochs}{taught}  {'  '.join(errors)}")

    weights.append(_copied(trainer.averaged.state_dict()))
    note(1.0, None)
    say()
    while trainer.epoch < trainer.recipe.epochs:
        loss = trainer.run_epoch(reporter).loss
        weights.append(_copied(trainer.averaged.state_dict()))
        for share in SHARES:
            probe.load_state_dict(between(weights[0], weights[-1], share))
            note(share, loss)
        say()  # of the last share: all of the way
    return log, weights


def between(before: Weights, after: Weights, share: float) -> Weights:
    """Weights so far on the way from `before` to `after`; those themselves for a share of 1."""
    if share == 1:
        return after
    return {name: torch.lerp(value, after[name], share) for name, value in before.items()}


def _figures(model: nn.Module, part: Examples) -> Figures:
    return figures(logits_of(model, part).numpy(), part.labels.cpu().numpy())


def _copied(weights: Weights) -> Weights:
    return {name: value.detach().clone() for name, value in weights.items()}


def choose(log: Sequence[Candidate], options: Options) -> Choice:
    """Of `log`, the model as it was first, the one with the fewest own held-out pictures misread.

    Of as many it is the one with the likelier truth. Only those count that misread no more of the old digits, and of
    what is no digit, than the options allow. Where there is none, or none reads the own pictures better than the model
    did, the choice says so.
    """
    before, after = log[0], log[1:]
    kept = [one for one in after if not _forgotten(before, one, options)]
    best = min(kept or after, key=_rank)
    if not kept:
        least = min(after, key=lambda one: (one.old.misses, one.rubbish.misses if one.rubbish else 0))
        return Choice(best, f"it forgets: {' and '.join(_forgotten(before, least, options))}, or more")
    if _rank(best) >= _rank(before):
        return Choice(
            best,
            f"it gains nothing: of the own held-out pictures {before.own.misses} of {before.own.count} were misread, "
            "and nothing that keeps the old ones does better",
        )
    return Choice(best, None)


def _rank(candidate: Candidate) -> tuple[int, float]:
    return candidate.own.misses, candidate.own.nll


def _forgotten(before: Candidate, after: Candidate, options: Options) -> list[str]:
    """What is read worse than the options allow, in words."""
    found = []
    for what, then, now, points in (
        ("digits", before.old, after.old, options.max_forgetting),
        ("pictures of no digit", before.rubbish, after.rubbish, options.max_rubbish_forgetting),
    ):
        if then and now and now.error_percent > then.error_percent + points + 1e-9:  # 0.3 + 0.1 is not quite 0.4
            found.append(
                f"the error on the old held-out {what} rises from {then.error_percent:.2f} % to "
                f"{now.error_percent:.2f} %, by more than {points} points"
            )
    return found
