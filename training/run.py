"""One training run: the recipe measured on held-out digits, then the shipped model, then the test set, once."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import nn

from app.imaging import PREPROCESSING_ID
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5
from training import calibrate, checkpoint, datasets, device, parallel, teacher
from training.calibrate import Group
from training.config import Config
from training.datasets import RUBBISH, Digits
from training.inputs import Examples, prepare
from training.material import Material, gather
from training.metrics import Metrics, measure
from training.phase import REFIT, HeldOut, Journal, Lesson, Record
from training.progress import Reporter, Silent
from training.trainer import logits_of

ALSO_WEIGHT = 0.1
"""Of each other set of digits in what the calibration is fitted to; the config's `train` has the rest."""


@dataclass(frozen=True)
class Learnt:
    """A trained network that has not met the test set."""

    config: Config
    model: nn.Module  # in evaluation mode
    counts: dict[str, int]  # examples that it was trained on, by set
    log: tuple[Record, ...]
    held_out: HeldOut
    device: str
    run_dir: Path
    identity: dict[str, Any]  # see the function of this name

    @property
    def learnt(self) -> int:
        """Digits and other pictures that the network was trained on."""
        return sum(self.counts.values())

    @property
    def seconds(self) -> float:
        """Spent in epochs, both phases together."""
        return sum(record.seconds for record in self.log)


@dataclass(frozen=True)
class RunResult(Learnt):
    """A trained LeNet-5 and everything that its card says."""

    model: LeNet5  # on the CPU, in evaluation mode
    test: Metrics
    test_digits: Digits
    test_probabilities: npt.NDArray[np.float64]  # (n, 10)
    test_confidence: npt.NDArray[np.float64]  # (n,)


def identity(config: Config, material: Material) -> dict[str, Any]:
    """What two runs must have in common for one to go on where the other stopped, or to be compared over seeds."""
    marks = [config.rubbish.marks] if config.rubbish.marks else []
    names = (config.data.train, *config.data.also, *marks, config.data.test)
    return {
        "config": config.to_dict(),
        "preprocessing": PREPROCESSING_ID,
        "data": {name: datasets.describe(name).checksums for name in names},
        "inputs": material.sha256(),
    }


def run(config: Config, *, data_dir: Path | None = None, reporter: Reporter | None = None, **options: Any) -> RunResult:
    """`learn`, and then the test set, once."""
    learnt = learn(config, data_dir=data_dir, reporter=reporter, **options)
    test_digits = datasets.load(config.data.test, data_dir)
    model = learnt.model.cpu().eval()
    logits = logits_of(model, prepare(test_digits, torch.device("cpu"), reporter)).numpy()
    calibrated = Calibration.from_dict(learnt.held_out.calibration).apply(logits)
    return RunResult(
        **{**vars(learnt), "model": model},
        test=measure(
            calibrated.probabilities, test_digits.labels, confidence=calibrated.confidence, logits=logits[:, :RUBBISH]
        ),
        test_digits=test_digits,
        test_probabilities=calibrated.probabilities,
        test_confidence=calibrated.confidence,
    )


def learn(
    config: Config,
    *,
    run_dir: Path,
    data_dir: Path | None = None,
    on: str | None = None,
    resume: bool = False,
    reporter: Reporter | None = None,
) -> Learnt:
    """Train as `config` says, with a checkpoint in `run_dir` after every epoch.

    `on` names the device, `resume` goes on from the checkpoint in `run_dir`.

    Raises:
        TrainingError: the data, the device or the checkpoint is not what it should be.
    """
    say = reporter or Silent()
    torch.set_num_threads(config.recipe.threads)
    where = device.choose(on)
    material = gather(config, data_dir, where, say)
    same = identity(config, material)
    start = checkpoint.read(run_dir, same) if resume else None
    devices = parallel.described(device.describe(where))
    say.line(f"{config.name}, seed {config.seed}, on {devices}: {len(material.learnt)} examples to learn from")

    journal = Journal(config, same, run_dir, say)
    held_out_digits = material.held_out[config.data.train]
    names = config.distillation.teachers
    teachers = teacher.load(run_dir.parent, names, config.architecture.num_classes, where) if names else None
    lesson = Lesson(config, teachers, journal, material.fields)
    if start:
        journal.log = [Record(**record) for record in start.progress["log"]]
    if start and start.progress["phase"] == REFIT:
        journal.held_out = HeldOut(**start.progress["held_out"])
    else:
        model = lesson.teach(material.learnt, start, held_out_digits)
        journal.held_out = _judge(config, model, material.held_out)
        start = None
    held_out = journal.held_out
    say.line(
        f"held out: {held_out.misses} of {held_out.count} misread ({held_out.error_percent:.2f} %); "
        f"{config.accepted:.1%} reach a confidence of {held_out.threshold:.4f}"
    )
    if config.recipe.refit:
        say.line(f"the recipe is fixed: anew on all {len(material.whole)} examples")
        model = lesson.teach(material.whole, start)

    return Learnt(
        config=config,
        model=model.eval(),
        counts=material.counts if not config.recipe.refit else material.all_counts,
        log=tuple(journal.log),
        held_out=held_out,
        device=devices,
        run_dir=run_dir,
        identity=same,
    )


def _judge(config: Config, model: nn.Module, held_out: dict[str, Examples]) -> HeldOut:
    """The first set of `held_out` is the one that the figures and the threshold are of; all calibrate."""
    answers = {name: logits_of(model, examples).numpy() for name, examples in held_out.items()}
    labels = {name: examples.labels.cpu().numpy() for name, examples in held_out.items()}
    rubbish = [name for name, of_set in labels.items() if (of_set == RUBBISH).all()]
    weights = {name: config.rubbish.share / len(rubbish) for name in rubbish}
    weights |= dict.fromkeys(labels.keys() - weights.keys() - {config.data.train}, ALSO_WEIGHT)
    weights[config.data.train] = 1 - sum(weights.values())
    calibration = calibrate.fit([Group(name, answers[name], labels[name], weights[name]) for name in held_out])
    logits, truth = answers[config.data.train], labels[config.data.train]
    calibrated = calibration.apply(logits)
    metrics = measure(calibrated.probabilities, truth, confidence=calibrated.confidence)
    threshold = calibrate.accepting(calibration, logits, config.accepted)
    return HeldOut(metrics.error_percent, metrics.misses, metrics.count, metrics.nll, threshold, calibration.to_dict())
