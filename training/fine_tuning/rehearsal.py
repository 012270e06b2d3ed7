"""What a model once learnt from, for it to go on learning beside something new: else it forgets.

(Rehearsal; Robins 1995, "Catastrophic forgetting, rehearsal and pseudorehearsal".)
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.lenet.weights import Manifest
from training import config as configs
from training import datasets
from training.config import Config
from training.datasets import mnist
from training.errors import DatasetError, TrainingError
from training.fine_tuning.options import Options
from training.inputs import Examples
from training.material import gather
from training.progress import Reporter

INSTEAD_OF_MARKS = 2000
"""Pictures of no digit that are made where a model learnt none but a set of marks that is not here."""


@dataclass(frozen=True)
class Rehearsal:
    """What a model has learnt from, as far as it is here."""

    config: Config  # of the run that first made the model
    learnt: Examples  # a sample of what it learnt from, on the training device
    held_out: Mapping[str, Examples]  # by set; neither learnt from now nor chosen by: what it may not forget
    counts: Mapping[str, int]  # examples in `learnt`, by set
    seen: bool  # the model did learn from the held-out examples, so that its figures on them flatter it
    missing: tuple[str, ...]  # sets that it learnt from and that are not here


def rehearse(
    manifest: Manifest, options: Options, data_dir: Path | None, device: torch.device, reporter: Reporter
) -> Rehearsal:
    """Of what `manifest` says its model learnt from: a sample to learn from again, and the held-out examples.

    The held-out examples are those of the model's own run. A model that was trained anew on them too has none that it
    never saw, and the same goes where its run held out writers, but who wrote what is not here: the last digits have
    to do then. Either way a rise of the error on them need not be forgetting.

    Raises:
        TrainingError: the main set is missing, or the manifest does not say what the model has learnt.
    """
    config = first_config(manifest)
    here, missing = _what_is_here(config, data_dir)
    material = gather(_smaller(here, options.rehearsal), data_dir, device, reporter)
    draw = np.random.default_rng(options.seed)
    index = np.sort(draw.permutation(len(material.learnt))[: options.rehearsal])
    names = np.repeat(list(material.counts), list(material.counts.values()))  # of each example's set
    return Rehearsal(
        config=config,
        learnt=material.learnt.take(index),
        held_out=material.held_out,
        counts={
            str(name): int(count) for name, count in zip(*np.unique(names[index], return_counts=True), strict=True)
        },
        seen=config.recipe.refit or here.data.validation != config.data.validation,
        missing=missing,
    )


def first_config(manifest: Manifest) -> Config:
    """The config of the run that first made the model; fine-tuning hands it on from version to version.

    Raises:
        TrainingError: the manifest has none.
    """
    values: Any = manifest.training.get("config")
    if not isinstance(values, Mapping):
        raise TrainingError(
            f"The manifest of {manifest.name}:{manifest.version} has no training.config: it is not known what the "
            "model has learnt and must not forget."
        )
    return configs.parse(values)


def _what_is_here(config: Config, data_dir: Path | None) -> tuple[Config, tuple[str, ...]]:
    """The config without what is not here, and the names of that; only the main set is needed."""
    data, rubbish = config.data, config.rubbish
    missing = [name for name in (*data.also, rubbish.marks) if name and not _is_here(name, data_dir)]
    data = replace(data, also=tuple(name for name in data.also if name not in missing))
    if rubbish.marks in missing:  # what is made has to do for the output for what is no digit
        rubbish = replace(rubbish, marks="", pictures=rubbish.pictures or INSTEAD_OF_MARKS)
    if data.validation == "writers" and not _writers_are_here(data_dir):
        data = replace(data, validation="last")
        missing.append("who wrote which of the digits")
    return replace(config, data=data, rubbish=rubbish), tuple(missing)


def _is_here(name: str, data_dir: Path | None) -> bool:
    try:
        for file in datasets.describe(name).files:
            datasets.locate(file, data_dir)
    except DatasetError:
        return False
    return True


def _writers_are_here(data_dir: Path | None) -> bool:
    try:
        datasets.locate(mnist.WRITERS, data_dir)
    except DatasetError:
        return False
    return True


def _smaller(config: Config, pictures: int) -> Config:
    """With no more pictures to be made than a sample of so many can hold."""
    return replace(
        config,
        data=replace(config.data, rerendered=min(config.data.rerendered, pictures)),
        rubbish=replace(config.rubbish, pictures=min(config.rubbish.pictures, pictures)),
    )
