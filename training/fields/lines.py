"""Lines that the space displacement network learns from, as it is shown them, each with its digits."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.line import clean
from app.fields.strip import strip
from training import datasets
from training.datasets import cheque_amounts
from training.fields.examples import LEARNT, varied
from training.fields.kinds import Sources, make
from training.fields.rubbish_rows import rubbish_row
from training.fields.signs import marks, strangers, writers

FULL: Final = 255  # of a strip's ink
SEED: Final = 3_000_000  # of the first line; each has the next

RUBBISH: Final = 0.04  # of lines: nothing is to be read
STRANGE: Final = {"usps": 0.1, "optdigits": 0.05}
"""The share of lines whose digits are of these sets, in which nobody's whole hand is known."""

VARIED: Final = 16  # pictures of each cheque, itself among them


@dataclass(frozen=True, eq=False)
class TextLine:
    """One line."""

    strip: npt.NDArray[np.uint8]  # (32, w), in 1/255
    text: str  # its digits from left to right; "": there is nothing to read
    fold: int = -1  # of a cheque


def made(count: int, data_dir: Path | None) -> Iterator[TextLine]:
    """`count` lines of the writers that are learnt from.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    signs = marks(data_dir, held_out=False)
    sources = {name: Sources(strangers(data_dir, name), signs) for name in STRANGE}
    known = Sources(writers(data_dir, held_out=False), signs)
    digits = datasets.load("mnist-train", data_dir)
    for number in range(count):
        rng = np.random.default_rng((SEED, number))
        if rng.random() < RUBBISH:
            yield _line(rubbish_row(digits, rng), "")
            continue
        drawn = rng.choice([*STRANGE, ""], p=[*STRANGE.values(), 1 - sum(STRANGE.values())])
        one = make(LEARNT, 1, sources.get(str(drawn), known), SEED + number)[0]
        yield _line(one.picture, one.digits)


def cheques(data_dir: Path | None) -> Iterator[TextLine]:
    """The amount of each cheque as it is, and as `VARIED` - 1 other pens and scanners would have it.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    for number, amount in enumerate(cheque_amounts.load(data_dir)):
        rng = np.random.default_rng((SEED, number))
        for one in (amount, *(varied(amount, rng) for _ in range(VARIED - 1))):
            yield _line(one.picture, one.text, amount.fold)


def _line(picture: npt.NDArray[np.uint8], text: str, fold: int = -1) -> TextLine:
    return TextLine(np.rint(strip(clean(picture)) * FULL).astype(np.uint8), text, fold)
