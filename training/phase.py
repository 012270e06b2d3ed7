"""One phase of a run: a new network learns, and after every epoch it is written down how far it came."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5, initialise
from training import checkpoint, parallel
from training.augment import Augment, Distortions
from training.batches import Batches, Copies
from training.checkpoint import Checkpoint
from training.config import Config
from training.datasets import RUBBISH
from training.fields.examples import CutField
from training.fields.graph import graph_loss
from training.inputs import Examples
from training.metrics import measure, softmax
from training.progress import Reporter
from training.teacher import Teacher, Teachers
from training.trainer import Trainer, logits_of

MEASURED, REFIT = "measured", "refit"
"""The phases: learning without the held-out digits, and with them."""

COPIES_SEED = 1998
"""Copies that are made beforehand are the same for every seed of a config."""


@dataclass(frozen=True)
class Record:
    """One epoch of the log."""

    phase: str  # MEASURED or REFIT
    epoch: int  # from 1 in each phase
    loss: float  # nats
    learning_rate: float
    seconds: float
    held_out_error_percent: float | None  # after the epoch; None once the held-out digits are learnt from
    held_out_nll: float | None  # nats


@dataclass(frozen=True)
class HeldOut:
    """What the held-out digits said of the recipe."""

    error_percent: float
    misses: int
    count: int
    nll: float  # nats
    threshold: float  # the confidence that the share `accepted` of them reaches
    calibration: dict[str, Any]  # fitted to them and to what else is held out, as the manifest holds it


class Journal:
    """What a run has come to so far: kept in memory, said, and written as a checkpoint after every epoch."""

    def __init__(self, config: Config, same: dict[str, Any], run_dir: Path, reporter: Reporter) -> None:
        self.config = config
        self.identity = same
        self.run_dir = run_dir
        self.reporter = reporter
        self.log: list[Record] = []
        self.held_out: HeldOut | None = None  # known once the first phase is over

    def add(self, record: Record, trainer: Trainer) -> None:
        recipe = self.config.recipe
        self.log.append(record)
        progress = {
            "phase": record.phase,
            "epoch": record.epoch,
            "log": [asdict(record) for record in self.log],
            "held_out": asdict(self.held_out) if self.held_out else None,
            "finished": record.epoch == recipe.epochs and record.phase == (REFIT if recipe.refit else MEASURED),
        }
        if parallel.leads():
            checkpoint.write(self.run_dir, Checkpoint(self.identity, progress, trainer.state()))
        measured = "" if record.held_out_error_percent is None else f"  held out {record.held_out_error_percent:5.2f} %"
        self.reporter.line(
            f"{record.phase:8} epoch {record.epoch:2}/{self.config.recipe.epochs}"
            f"  loss {record.loss:.4f}{measured}  {record.seconds:.1f} s"
        )


@dataclass(frozen=True)
class Lesson:
    """What both phases of a run have in common."""

    config: Config
    teachers: Teachers | None
    journal: Journal
    fields: tuple[CutField, ...] = ()

    def teach(self, examples: Examples, start: Checkpoint | None, held_out: Examples | None = None) -> nn.Module:
        """A new network that learnt from `examples`, from the beginning or from `start`."""
        config, say = self.config, self.journal.reporter
        torch.manual_seed(config.seed)  # the first weights, and dropout; the order of the digits has its own generator
        network = self._network(examples)
        trainer = Trainer(
            network,
            examples,
            config.recipe,
            config.seed,
            batches=self._batches(examples),
            distillation=config.distillation,
            graph=graph_loss(network, self.fields, config.graph.weight, config.seed) if config.graph.weight else None,
        )
        if start:
            trainer.restore(start.tensors, start.progress["epoch"])
        while trainer.epoch < config.recipe.epochs:
            result = trainer.run_epoch(say)
            error = nll = None
            if held_out is not None:
                metrics = measure(digit_probabilities(trainer.averaged, held_out), held_out.labels.cpu().numpy())
                error, nll = metrics.error_percent, metrics.nll
            record = Record(
                phase=REFIT if held_out is None else MEASURED,
                epoch=result.epoch,
                loss=result.loss,
                learning_rate=result.learning_rate,
                seconds=result.seconds,
                held_out_error_percent=error,
                held_out_nll=nll,
            )
            self.journal.add(record, trainer)
        network = trainer.averaged
        for parameter in network.parameters():  # laid out as when it is loaded: sums are then rounded in the same way
            parameter.data = parameter.data.clone(memory_format=torch.contiguous_format)
        return network

    def _network(self, examples: Examples) -> nn.Module:
        config = self.config
        model: nn.Module
        if config.network == "teacher":
            model = Teacher(config.architecture.num_classes)
        else:
            model = LeNet5.from_architecture(_with_input(config, examples))
            initialise(model, config.recipe.initial_weights)
        if config.recipe.start:
            model.load_state_dict(checkpoint.finished_model(self.journal.run_dir.parent / config.recipe.start))
        return model

    def _batches(self, examples: Examples) -> Batches:
        config, copies = self.config, self.config.recipe.copies
        generator = torch.Generator(examples.labels.device).manual_seed(COPIES_SEED if copies else config.seed)
        augment = None if config.distortions == Distortions() else Augment(config.distortions, generator)
        if copies:
            return Copies(examples, augment, self.teachers, copies, self.journal.reporter)
        return Batches(examples, augment, self.teachers)


def digit_probabilities(model: nn.Module, examples: Examples) -> npt.NDArray[np.float64]:
    """The softmax over the ten digits, (n, 10): what the network says of a picture that is one."""
    return softmax(logits_of(model, examples).numpy()[:, :RUBBISH])


def _with_input(config: Config, examples: Examples) -> Architecture:
    """The config's architecture with the first, fixed operation that its `input` asks for."""
    if config.input == "paper":
        return config.architecture.with_paper_input()
    if config.input == "standardised":
        mean, std = ink_moments(examples)
        return config.architecture.with_standardised_input(mean, std)
    return config.architecture


def ink_moments(examples: Examples) -> tuple[float, float]:
    """Mean and standard deviation of all pixels, ink 0..1, to 6 places."""
    total = squares = 0.0
    for batch in examples.inputs.split(1000):  # type: ignore[no-untyped-call]  # in pieces: in float64 it is all large
        pixels = batch.cpu().double()
        total += pixels.sum().item()
        squares += pixels.square().sum().item()
    mean = total / examples.inputs.numel()
    return round(mean, 6), round(math.sqrt(squares / examples.inputs.numel() - mean * mean), 6)
