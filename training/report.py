"""A model measured on every known set that is here, as the service would answer: what its card and manifest say.

Sets of digits give an error, sets of what is no digit the share that is accepted and how well they are told from the
test set's digits. A set that is not here is named as missing; one that the model has learnt from is marked so.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from app.imaging import INPUT_SHAPE, normalize
from app.lenet.calibration import Calibration
from app.lenet.model import LeNet5
from training import datasets, evaluate, hostile, split
from training.calibrate import accepting
from training.config import Config
from training.datasets import RUBBISH, Digits
from training.errors import DatasetError
from training.evaluate import Answers
from training.inputs import Examples, prepare
from training.metrics import Metrics, auroc
from training.progress import Reporter, Silent
from training.trainer import logits_of

KEPT = 0.98
"""Share of the test digits that the second threshold keeps, at which other models can be compared."""

Role = Literal["test", "new", "partly learnt", "learnt"]
"""Of a set: the run's own test set, never learnt from, learnt but for every tenth picture, or learnt from."""


@dataclass(frozen=True)
class OnDigits:
    """A set of digits and the model's answers."""

    role: Role
    digits: Digits
    answers: Answers
    metrics: Metrics

    @property
    def accepted(self) -> float:
        """Share of the digits that the service would accept, at the model's threshold."""
        return float(self.answers.accepted.mean())

    @property
    def accepted_error_percent(self) -> float:
        """Of those."""
        return self.answers.error_percent_of_accepted(self.digits.labels)

    @property
    def never_learnt(self) -> tuple[int, int] | None:
        """Digits, and misread ones among them, of the tenth of a partly learnt set that was held out."""
        if self.role != "partly learnt":
            return None
        wrong = self.answers.calibrated.probabilities.argmax(axis=1) != self.digits.labels
        tenth = wrong[split.every_tenth(len(wrong)).held_out]
        return len(tenth), int(tenth.sum())

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        tenth = self.never_learnt
        return {
            "role": self.role,
            **self.metrics.to_dict(),
            "accepted": self.accepted,
            "accepted_error_percent": self.accepted_error_percent,
            **({} if tenth is None else {"never_learnt": {"count": tenth[0], "misses": tenth[1]}}),
        }


@dataclass(frozen=True)
class OnOthers:
    """Pictures of no digit and what the service would make of them."""

    role: Role
    count: int
    accepted: float  # share, at the model's threshold
    accepted_keeping: float  # share, at the threshold that keeps KEPT of the test digits
    confidence_auroc: float  # how often a test digit has the higher confidence: 0..1
    digitness_auroc: float  # the same by the digitness

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return dict(vars(self))


@dataclass(frozen=True)
class Report:
    """Everything that was measured of a model."""

    test: str  # the name of the run's test set, which is among `digits`
    threshold: float  # the model's
    keeping_threshold: float  # the confidence that KEPT of the test digits reach
    digits: Mapping[str, OnDigits]  # by set, the test set first
    others: Mapping[str, OnOthers]  # by set
    hostile: Mapping[str, OnOthers]  # by kind, of training.hostile
    missing: tuple[str, ...]  # known sets that are not here

    @property
    def hostile_accepted(self) -> tuple[float, float]:
        """Shares of all hostile pictures, each kind counting alike: at the model's threshold, and at the other one."""
        kinds = self.hostile.values()
        return (
            float(np.mean([kind.accepted for kind in kinds])),
            float(np.mean([kind.accepted_keeping for kind in kinds])),
        )

    def to_metrics(self) -> dict[str, Any]:
        """As a manifest holds it: each set under its name, so that `evaluate --check` finds it."""
        return {
            **{name: one.to_dict() for name, one in self.digits.items()},
            **{name: one.to_dict() for name, one in self.others.items()},
            "hostile": {kind: one.to_dict() for kind, one in self.hostile.items()},
            "keeping": {"share": KEPT, "of": self.test, "threshold": self.keeping_threshold},
            "missing": list(self.missing),
        }


def report(
    model: LeNet5,
    calibration: Calibration,
    threshold: float,
    config: Config,
    *,
    data_dir: Path | None = None,
    reporter: Reporter | None = None,
) -> Report:
    """Measure `model`, on the CPU, with its calibration and threshold; `config` says what it has learnt from.

    Raises:
        DatasetError: the test set is missing, or a set that is here is damaged.
    """
    say = reporter or Silent()
    names = [config.data.test, *(name for name in datasets.DATASETS if name not in (config.data.test, "mnist-train"))]
    here = [name for name in names if name == config.data.test or _is_here(name, data_dir)]
    digits: dict[str, OnDigits] = {}
    others: dict[str, Answers] = {}
    for name in here:
        pictures = datasets.load(name, data_dir)
        examples = prepare(pictures, torch.device("cpu"), say)
        answers = _answers(model, examples, calibration, threshold)
        if (pictures.labels == RUBBISH).all():
            others[name] = answers
        else:
            digits[name] = OnDigits(role(config, name), pictures, answers, answers.on(pictures.labels))
    test = digits[config.data.test].answers
    keeping = accepting(calibration, test.logits, KEPT)

    def beside_digits(answers: Answers, of: Role, readable: npt.NDArray[np.bool_] | None = None) -> OnOthers:
        may = np.True_ if readable is None else readable
        return OnOthers(
            role=of,
            count=len(answers.logits),
            accepted=float((answers.accepted & may).mean()),
            accepted_keeping=float((answers.accepted_at(keeping) & may).mean()),
            confidence_auroc=auroc(test.calibrated.confidence, answers.calibrated.confidence),
            digitness_auroc=auroc(test.calibrated.digitness, answers.calibrated.digitness),
        )

    return Report(
        test=config.data.test,
        threshold=threshold,
        keeping_threshold=keeping,
        digits=digits,
        others={name: beside_digits(answers, role(config, name)) for name, answers in others.items()},
        hostile={
            kind: beside_digits(_answers(model, examples, calibration, threshold), "new", readable)
            for kind, (examples, readable) in _hostile().items()
        },
        missing=tuple(name for name in names if name not in here),
    )


def role(config: Config, name: str) -> Role:
    """What the set called `name` was to a run of `config`."""
    if name == config.data.test:
        return "test"
    if name == config.data.train:
        return "learnt"
    if name in (*config.data.also, config.rubbish.marks):
        return "learnt" if config.recipe.refit else "partly learnt"
    return "new"


def _is_here(name: str, data_dir: Path | None) -> bool:
    if data_dir is not None and not data_dir.is_dir():
        raise DatasetError(f"The data folder {data_dir} is not there.")
    try:
        for file in datasets.describe(name).files:
            datasets.locate(file, data_dir)
    except DatasetError:
        return False
    return True


def _answers(model: LeNet5, examples: Examples, calibration: Calibration, threshold: float) -> Answers:
    return evaluate.read(logits_of(model, examples).numpy(), examples.inputs, calibration, threshold)


def _hostile() -> dict[str, tuple[Examples, npt.NDArray[np.bool_]]]:
    """By kind, the inputs, and which of the pictures `app.imaging` has nothing against."""
    made = {}
    for kind, pictures in hostile.make().items():
        normalized = [normalize(picture) for picture in pictures]
        inputs = np.stack([one.input for one in normalized]).reshape(-1, *INPUT_SHAPE)
        examples = Examples(torch.from_numpy(inputs), torch.full((len(inputs),), RUBBISH))
        made[kind] = (examples, np.array([not one.reasons for one in normalized]))
    return made
