"""One training run: the recipe measured on held-out digits, then the shipped model, then the test set, once."""

import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.imaging import PREPROCESSING_ID
from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from training import checkpoint, datasets, device, split
from training.checkpoint import Checkpoint
from training.config import Config
from training.datasets import Digits, mnist
from training.inputs import Examples, prepare
from training.metrics import Metrics, measure, softmax, threshold_for
from training.progress import Reporter, Silent
from training.trainer import Trainer, logits_of

MEASURED, REFIT = "measured", "refit"
"""The phases: learning without the held-out digits, and with them."""


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


@dataclass(frozen=True)
class RunResult:
    """A trained model and everything that its card says."""

    config: Config
    model: LeNet5  # on the CPU, in evaluation mode
    learnt: int  # digits that the model was trained on
    log: tuple[Record, ...]
    held_out: HeldOut
    test: Metrics
    test_digits: Digits
    test_probabilities: npt.NDArray[np.float64]  # (n, 10)
    device: str
    run_dir: Path
    identity: dict[str, Any]  # see the function of this name

    @property
    def seconds(self) -> float:
        """Spent in epochs, both phases together."""
        return sum(record.seconds for record in self.log)


def identity(config: Config, examples: Examples) -> dict[str, Any]:
    """What two runs must have in common for one to go on where the other stopped, or to be compared over seeds."""
    names = (config.data.train, config.data.test)
    return {
        "config": config.to_dict(),
        "preprocessing": PREPROCESSING_ID,
        "data": {name: datasets.describe(name).checksums for name in names},
        "inputs": examples.sha256(),
    }


def run(
    config: Config,
    *,
    run_dir: Path,
    data_dir: Path | None = None,
    on: str | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> RunResult:
    """Train as `config` says, with a checkpoint in `run_dir` after every epoch.

    `on` names the device, `resume` goes on from the checkpoint in `run_dir`.

    Raises:
        TrainingError: the data, the device or the checkpoint is not what it should be.
    """
    say = reporter or Silent()
    torch.set_num_threads(config.recipe.threads)
    where = device.choose(on)
    learnable = _limited(datasets.load(config.data.train, data_dir), config.data.limit)
    parts = _split(config, learnable, data_dir)
    examples = prepare(learnable, where, say)
    same = identity(config, examples)
    start = checkpoint.read(run_dir, same) if resume else None
    say.line(
        f"{config.name}, seed {config.seed}, on {device.describe(where)}: {len(parts.learnt)} digits to learn from"
    )

    journal = _Journal(config, same, run_dir, say)
    held_out_examples = examples.take(parts.held_out)
    if start:
        journal.log = [Record(**record) for record in start.progress["log"]]
    if start and start.progress["phase"] == REFIT:
        journal.held_out = HeldOut(**start.progress["held_out"])
    else:
        model = _teach(config, examples.take(parts.learnt), journal, start, held_out_examples)
        journal.held_out = _judge(config, model, held_out_examples)
        start = None
    held_out = journal.held_out
    say.line(
        f"held out: {held_out.misses} of {held_out.count} misread ({held_out.error_percent:.2f} %); "
        f"{config.accepted:.1%} reach a confidence of {held_out.threshold:.4f}"
    )
    if config.recipe.refit:
        say.line(f"the recipe is fixed: anew on all {len(examples)} digits")
        model = _teach(config, examples, journal, start)

    test_digits = datasets.load(config.data.test, data_dir)
    test = prepare(test_digits, where, say)
    probabilities = softmax(logits_of(model, test).numpy())
    return RunResult(
        config=config,
        model=model.cpu().eval(),
        learnt=len(examples) if config.recipe.refit else len(parts.learnt),
        log=tuple(journal.log),
        held_out=held_out,
        test=measure(probabilities, test_digits.labels),
        test_digits=test_digits,
        test_probabilities=probabilities,
        device=device.describe(where),
        run_dir=run_dir,
        identity=same,
    )


class _Journal:
    """What a run has come to so far: kept in memory, said, and written as a checkpoint after every epoch."""

    def __init__(self, config: Config, same: dict[str, Any], run_dir: Path, reporter: Reporter) -> None:
        self.config = config
        self.identity = same
        self.run_dir = run_dir
        self.reporter = reporter
        self.log: list[Record] = []
        self.held_out: HeldOut | None = None  # known once the first phase is over

    def add(self, record: Record, trainer: Trainer) -> None:
        self.log.append(record)
        progress = {
            "phase": record.phase,
            "epoch": record.epoch,
            "log": [asdict(record) for record in self.log],
            "held_out": asdict(self.held_out) if self.held_out else None,
        }
        checkpoint.write(self.run_dir, Checkpoint(self.identity, progress, trainer.state()))
        measured = "" if record.held_out_error_percent is None else f"  held out {record.held_out_error_percent:5.2f} %"
        self.reporter.line(
            f"{record.phase:8} epoch {record.epoch:2}/{self.config.recipe.epochs}"
            f"  loss {record.loss:.4f}{measured}  {record.seconds:.1f} s"
        )


def _teach(
    config: Config, examples: Examples, journal: _Journal, start: Checkpoint | None, held_out: Examples | None = None
) -> LeNet5:
    """One phase: a new network learns from `examples`, from the beginning or from `start`."""
    torch.manual_seed(config.seed)  # the first weights; the order of the digits has a generator of its own
    model = LeNet5.from_architecture(_with_input(config, examples))
    trainer = Trainer(model, examples, config.recipe, config.seed)
    if start:
        trainer.restore(start.tensors, start.progress["epoch"])
    while trainer.epoch < config.recipe.epochs:
        result = trainer.run_epoch(journal.reporter)
        error = nll = None
        if held_out is not None:
            probabilities = softmax(logits_of(model, held_out).numpy())
            metrics = measure(probabilities, held_out.labels.cpu().numpy())
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
        journal.add(record, trainer)
    return model


def _judge(config: Config, model: LeNet5, examples: Examples) -> HeldOut:
    probabilities = softmax(logits_of(model, examples).numpy())
    metrics = measure(probabilities, examples.labels.cpu().numpy())
    threshold = threshold_for(probabilities, config.accepted)
    return HeldOut(metrics.error_percent, metrics.misses, metrics.count, metrics.nll, threshold)


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


def _limited(digits: Digits, limit: int) -> Digits:
    return digits.take(np.arange(min(limit, len(digits)))) if limit else digits


def _split(config: Config, digits: Digits, data_dir: Path | None) -> split.Split:
    if config.data.validation == "writers":
        return split.by_writer(mnist.writers(data_dir)[: len(digits)], config.data.validation_digits)
    return split.last(len(digits), config.data.validation_digits)
