"""The fields that are measured on: made ones of writers that nothing was learnt from, cheques, and no fields."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.fields.formats import FieldFormat, field_format
from training.datasets import cheque_amounts
from training.fields import kinds, nothing, signs
from training.fields.kinds import Sources

SEED = 1998
"""Of the first made field of each kind; development with other seeds leaves these fields unseen."""

ZIPS = ("clean ZIP", "touching ZIP", "noisy ZIP")


@dataclass(frozen=True)
class Case:
    """One picture and what should be read in it."""

    group: str
    picture: npt.NDArray[np.uint8]  # (h, w), gray
    truth: str  # "" where there is nothing to read
    format: FieldFormat
    fold: int = -1  # of a cheque
    name: str = ""  # of a cheque
    digits_alone: bool = False  # the truth doesn't say where the cents begin

    def right(self, text: str) -> bool:
        """Whether `text` is the truth."""
        return bool(text) and self.truth == (text.replace(".", "") if self.digits_alone else text)


def made(kind: str, count: int, data_dir: Path | None, *, test: bool, seed: int = SEED) -> list[Case]:
    """Fields of one kind, of MNIST's test digits or of the writers that are held out of its training digits.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    writers = signs.test_writers(data_dir) if test else signs.writers(data_dir, held_out=True)
    of = Sources(writers, signs.marks(data_dir, held_out=True))
    form = kinds.format_of(kind)
    return [Case(kind, one.picture, one.text, form) for one in kinds.make({kind: 1}, count, of, seed)]


def cheques(data_dir: Path | None) -> list[Case]:
    """All amounts of `cheque_amounts`. Raises DatasetError when the file is missing or damaged."""
    form = field_format("amount")
    return [
        Case("cheque amounts", one.picture, one.text, form, fold=one.fold, name=one.name, digits_alone=True)
        for one in cheque_amounts.load(data_dir)
    ]


def none(count: int, data_dir: Path | None) -> list[Case]:
    """`count` pictures without a field of each kind, half of them sent as a ZIP code, half as an amount."""
    forms = field_format("postal_code", country="US"), field_format("amount")
    return [
        Case(kind, picture, "", forms[number % 2])
        for kind in nothing.NOTHING
        for number, picture in enumerate(nothing.make(kind, count, data_dir, SEED))
    ]
