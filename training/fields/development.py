"""The strings that a field model is calibrated on: of writers that no network learns from, of cheques, and of nothing.

A cheque is read by the networks of the cross-validation that have not learnt from it.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields import reader
from app.fields.formats import FieldFormat, field_format
from app.fields.reader import Proposal
from training import datasets
from training.datasets import cheque_amounts
from training.fields import kinds
from training.fields.kinds import Sources, make
from training.fields.rubbish_rows import rubbish_row
from training.fields.signs import marks, writers
from training.fields.truth import NOTHING, amount_texts

Picture = npt.NDArray[np.uint8]
Network = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.floating]]
"""(n, 1, 32, 32) -> log-probabilities (n, 11)."""


@dataclass(frozen=True)
class Networks:
    """What a field model reads with."""

    candidates: Network
    lines: Network  # a strip (32, w) -> log-probabilities (steps, 11)


KINDS: Final[Mapping[str, float]] = {
    "clean ZIP": 0.2,
    "touching ZIP": 0.15,
    "noisy ZIP": 0.15,
    "ZIP+4": 0.05,
    "amount": 0.35,
    "digits": 0.1,
}
"""Shares of the kinds of fields."""

NOTHINGS: Final = 0.1
"""Pictures of nothing for each field."""


@dataclass(frozen=True, eq=False)
class Shown:
    """One string as networks saw it."""

    proposal: Proposal
    log_probs: npt.NDArray[np.floating]  # (n, 11), of its candidates
    line_log_probs: npt.NDArray[np.floating]  # (steps, 11), of its strip
    format: FieldFormat
    texts: tuple[str, ...]  # what it may be read as; "": there is nothing to read
    fold: int  # of a cheque; -1 for others
    written: str = ""  # every sign from left to right, where that is known

    @property
    def is_field(self) -> bool:
        """Whether there is anything to read."""
        return self.texts != NOTHING


def made(count: int, seed: int, networks: Networks, data_dir: Path | None) -> Iterator[Shown]:
    """`count` fields of held-out writers, and a tenth more pictures of nothing.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    sources = Sources(writers(data_dir, held_out=True), marks(data_dir, held_out=True))
    formats = {kind: kinds.format_of(kind) for kind in KINDS}
    rng = np.random.default_rng(seed)
    names, shares = list(KINDS), np.array(list(KINDS.values()))
    for number in range(count):
        kind = names[int(rng.choice(len(names), p=shares))]
        one = make({kind: 1}, 1, sources, seed * 100_003 + number)[0]
        field = shown(one.picture, networks, formats[kind], (one.text,))
        yield replace(field, written=one.written.text)
    digits = datasets.load("mnist-train", data_dir)
    for _ in range(round(NOTHINGS * count)):
        yield shown(rubbish_row(digits, rng), networks, formats["digits"], NOTHING)


def cheques(of_folds: Mapping[int, Networks], data_dir: Path | None) -> Iterator[Shown]:
    """All amounts, each by the networks of its fold, with the wrong labels that are known put right.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    form = field_format("amount")
    for one in cheque_amounts.load(data_dir):
        text = cheque_amounts.MISLABELLED.get(one.name, one.text)
        yield shown(one.picture, of_folds[one.fold], form, amount_texts(text), one.fold)


def shown(picture: Picture, networks: Networks, form: FieldFormat, texts: tuple[str, ...], fold: int = -1) -> Shown:
    """A picture, cut into candidates, with what the networks say of each and of the line."""
    proposal = reader.propose(picture)
    log_probs = networks.candidates(proposal.inputs) if len(proposal.inputs) else np.zeros((0, 11))
    return Shown(proposal, log_probs, networks.lines(proposal.strip), form, texts, fold)
