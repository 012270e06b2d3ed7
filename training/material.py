"""Everything a run learns from and is held against, as its config asks: digits of several sets, and what is none."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from training import datasets, rubbish, split
from training.config import Config
from training.continental import continental, printed
from training.datasets import RUBBISH, Digits, mnist
from training.fields.examples import CutField, candidates, of_amounts, of_fields
from training.inputs import Examples, joined, prepare, prepared
from training.progress import Reporter
from training.rerender import rerendered

MADE_SEED = 1998
"""Pictures that are made are part of the config's data, whatever the seed of the run."""

MADE = "made"
"""What the rubbish that is made is called among the held-out sets."""


@dataclass(frozen=True)
class Material:
    """The examples of a run, on the training device."""

    whole: Examples  # with what is held out
    learnt: Examples  # without
    held_out: dict[str, Examples]  # by set; the first is the config's `train`
    counts: dict[str, int]  # examples by set, of what is learnt
    fields: tuple[CutField, ...] = ()  # whole ones, whose candidates are among the examples

    @property
    def all_counts(self) -> dict[str, int]:
        """Examples by set, held-out ones among them."""
        held_out = {name: len(part) for name, part in self.held_out.items()}
        return {name: self.counts.get(name, 0) + held_out.get(name, 0) for name in self.counts | held_out}

    def sha256(self) -> str:
        """Of all pixels: two runs that saw others are not the same run."""
        return self.whole.sha256()


def gather(config: Config, data_dir: Path | None, device: torch.device, say: Reporter) -> Material:
    """Read, make, split and normalise.

    Raises:
        DatasetError: a set is missing or damaged.
        ConfigError: a split leaves nothing.
    """
    digits = _limited(datasets.load(config.data.train, data_dir), config.data.limit)
    parts = _split(config, digits, data_dir)
    examples = prepare(digits, device, say)
    learnt = {config.data.train: examples.take(parts.learnt)}
    held_out = {config.data.train: examples.take(parts.held_out)}
    for name in (*config.data.also, *filter(None, [config.rubbish.marks])):
        more = prepare(datasets.load(name, data_dir), device, say)
        tenth = split.every_tenth(len(more))
        learnt[name], held_out[name] = more.take(tenth.learnt), more.take(tenth.held_out)
    source = digits.take(parts.learnt)
    rng = np.random.default_rng(MADE_SEED)
    if config.data.continental:
        learnt["continental"] = prepare(continental(source, config.data.continental, rng), device, say)
    if config.data.printed:
        learnt["printed"] = prepare(printed(config.data.printed, rng), device, say)
    if config.data.rerendered:
        chosen = source.take(rng.integers(len(source), size=config.data.rerendered))
        pictures = [rerendered(picture, rng) for picture in chosen.pictures]
        learnt["rerendered"] = prepared(pictures, chosen.labels, device, "drawn anew", say)
    if count := config.rubbish.pictures:
        for target, index, number, seed in (
            (learnt, parts.learnt, count, MADE_SEED + 1),
            (held_out, parts.held_out, count // 10, MADE_SEED + 2),
        ):
            pictures = rubbish.make(digits.take(index), number, np.random.default_rng(seed))
            target[MADE] = prepared(pictures, np.full(number, RUBBISH), device, "made of no digit", say)
    fields: tuple[CutField, ...] = ()
    if count := config.data.fields:
        say.line(f"{count} fields are made")
        fields += of_fields(data_dir, count, held_out=False)
        learnt["fields"] = candidates(fields).examples(device)
        apart = candidates(of_fields(data_dir, count // 10, held_out=True))
        held_out["fields"] = apart.examples(device, others=False)
        held_out["cuts"] = apart.examples(device, digits=False)
    if config.data.cheques:
        amounts = [one for one in of_amounts(data_dir, config.data.cheques) if one.fold != config.data.fold]
        learnt["cheques"] = candidates(amounts).examples(device)
        fields += tuple(amounts)
    together = joined(list(learnt.values()))
    whole = joined([together, *held_out.values()])
    return Material(whole, together, held_out, {name: len(part) for name, part in learnt.items()}, fields)


def _limited(digits: Digits, limit: int) -> Digits:
    return digits.take(np.arange(min(limit, len(digits)))) if limit else digits


def _split(config: Config, digits: Digits, data_dir: Path | None) -> split.Split:
    if config.data.validation == "writers":
        return split.by_writer(mnist.writers(data_dir)[: len(digits)], config.data.validation_digits)
    return split.last(len(digits), config.data.validation_digits)
