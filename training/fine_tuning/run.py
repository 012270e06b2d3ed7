"""Fine-tuning: from a model's weights, on own pictures and old ones together, to weights that read the own ones best.

They count only if the model with them is still as good on the old pictures as it has to be.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from app.lenet import model as lenet
from app.lenet.model import LeNet5
from app.lenet.registry import ServedModel
from training import datasets, device
from training.augment import Augment, Distortions
from training.batches import Batches
from training.config import Config, Recipe
from training.datasets import RUBBISH
from training.errors import TrainingError
from training.fine_tuning.figures import Compared, Labels, Logits, figures
from training.fine_tuning.options import Options
from training.fine_tuning.rehearsal import Rehearsal, rehearse
from training.fine_tuning.teach import Candidate, Choice, Validation, between, choose, teach
from training.inputs import Examples, joined, prepare
from training.own import OwnDigits
from training.own.held_out import split
from training.progress import Reporter, Silent
from training.trainer import Trainer, logits_of

OWN_HELD_OUT = "own, held out"


@dataclass(frozen=True)
class Measured:
    """A set with the fine-tuned model's answers."""

    logits: Logits  # (n, 10 or 11)
    labels: Labels  # (n,)


@dataclass(frozen=True)
class FineTuned:
    """What became of a model."""

    parent: ServedModel
    options: Options
    model: LeNet5  # with the chosen weights; on the CPU, in evaluation mode
    log: tuple[Candidate, ...]
    choice: Choice
    compared: tuple[Compared, ...]  # every set, before and after
    held_out: Mapping[str, Measured]  # the own held-out pictures and those of the old sets
    test: Measured  # the test set of the model's own run
    own: OwnDigits
    learnt: int  # own pictures that were learnt from
    copies: int  # of each in an epoch
    also_old: int  # own pictures that are among the old held-out ones or those of the test set
    rehearsal: Rehearsal
    device: str


def fine_tune(
    parent: ServedModel,
    own: OwnDigits,
    options: Options,
    *,
    test: OwnDigits | None = None,
    data_dir: Path | None = None,
    on: str | None = None,
    reporter: Reporter | None = None,
) -> FineTuned:
    """Teach `parent` the pictures of `own` beside a sample of what it learnt before; `test` is only measured on.

    On a CPU the same data, options and versions give the same weights, bit for bit.

    Raises:
        TrainingError: there are too few pictures, the model has no output for what is no digit but `own` has such
            pictures, what the model has learnt is not known or not here, or the device is not.
        ServiceError: the model must not be served.
    """
    say = reporter or Silent()
    torch.set_num_threads(options.threads)
    where = device.choose(on)
    _check_outputs(parent, own, test)
    parts = split(own, options.held_out, options.seed)
    rehearsal = rehearse(parent.manifest, options, data_dir, where, say)
    learnt, held_out = _examples(own, where, parts.learnt), _examples(own, where, parts.held_out)
    copies = _copies(len(learnt), len(rehearsal.learnt), options)
    say.line(
        f"{parent.spec} on {device.describe(where)}: {len(learnt)} own pictures to learn from, each {copies} times an "
        f"epoch, {len(held_out)} held out; {len(rehearsal.learnt)} old ones to rehearse"
    )
    model = lenet.load(parent.folder)
    trainer = _trainer(model, joined([rehearsal.learnt, *[learnt] * copies]), rehearsal.config, options)
    log, weights = teach(trainer, _validation(held_out, rehearsal), say)
    choice = choose(log, options)
    chosen = between(weights[0], weights[choice.candidate.epoch], choice.candidate.share)

    test_name = rehearsal.config.data.test
    sets = {"own, learnt from": learnt, OWN_HELD_OUT: held_out}
    if test is not None:
        sets["own, test"] = _examples(test, where)
    old = {f"{name}, held out": examples for name, examples in rehearsal.held_out.items()}
    sets |= old
    sets[test_name] = prepare(datasets.load(test_name, data_dir), where, say)
    model.load_state_dict(weights[0])
    before = {name: _measured(model, examples) for name, examples in sets.items()}
    model.load_state_dict(chosen)
    after = {name: _measured(model, examples) for name, examples in sets.items()}
    return FineTuned(
        parent=parent,
        options=options,
        model=model.cpu().eval(),
        log=tuple(log),
        choice=choice,
        compared=tuple(
            Compared(name, figures(one.logits, one.labels), figures(after[name].logits, after[name].labels))
            for name, one in before.items()
        ),
        held_out={name: after[name] for name in (OWN_HELD_OUT, *old)},
        test=after[test_name],
        own=own,
        learnt=len(learnt),
        copies=copies,
        also_old=_common(own, [*rehearsal.held_out.values(), sets[test_name]]),
        rehearsal=rehearsal,
        device=device.describe(where),
    )


def _trainer(model: LeNet5, examples: Examples, first: Config, options: Options) -> Trainer:
    """Teaches as the model was first taught, by the same criterion and with the same distortions."""
    recipe = Recipe(
        epochs=options.epochs,
        batch_size=options.batch_size,
        learning_rate=options.learning_rate,
        average=options.average,
        criterion=first.recipe.criterion,
        rubbish_penalty=first.recipe.rubbish_penalty,
    )
    augment = None
    if first.distortions != Distortions():
        draw = torch.Generator(examples.labels.device).manual_seed(options.seed)
        augment = Augment(first.distortions, draw)
    return Trainer(model, examples, recipe, options.seed, batches=Batches(examples, augment))


def _validation(own: Examples, rehearsal: Rehearsal) -> Validation:
    old = joined(list(rehearsal.held_out.values()))
    digit = (old.labels != RUBBISH).cpu().numpy()
    rubbish = None if digit.all() else old.take(np.flatnonzero(~digit))
    return Validation(own, old.take(np.flatnonzero(digit)), rubbish)


def _check_outputs(parent: ServedModel, *data: OwnDigits | None) -> None:
    outputs = parent.manifest.architecture.num_classes
    for own in data:
        if own is not None and outputs <= RUBBISH and (count := int((own.labels == RUBBISH).sum())):
            raise TrainingError(
                f"{own.name} has {count} pictures of what is no digit, but {parent.spec} has {outputs} outputs and "
                "none for that. Fine-tune a model with 11 outputs, or leave those pictures out."
            )


def _copies(own: int, old: int, options: Options) -> int:
    """How often an own picture is shown in an epoch."""
    wanted = old * options.own_share / (1 - options.own_share)
    return min(options.most_copies, max(1, round(wanted / own)))


def _examples(own: OwnDigits, where: torch.device, index: Labels | None = None) -> Examples:
    at = np.arange(len(own)) if index is None else index
    return Examples(torch.from_numpy(own.inputs[at]).to(where), torch.from_numpy(own.labels[at]).to(where))


def _common(own: OwnDigits, old: Sequence[Examples]) -> int:
    """How many own pictures are, pixel for pixel as the network sees them, among the old ones."""
    known = {row.tobytes() for examples in old for row in examples.inputs.cpu().numpy()}
    return sum(row.tobytes() in known for row in own.inputs)


def _measured(model: LeNet5, examples: Examples) -> Measured:
    return Measured(logits_of(model, examples).numpy(), examples.labels.cpu().numpy())
