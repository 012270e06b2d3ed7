"""The data sets that the project knows: where each comes from, its checksum and licence, and how it is read.

`DATASETS` are pictures of one digit, or of none. `cheque_amounts` and `font_glyphs` have readers of their own.
"""

from pathlib import Path

from training.datasets import ink_marks, mnist, optdigits, usps
from training.datasets import source as _source
from training.datasets.source import COMMITTED, RUBBISH, Dataset, Digits, SourceFile, locate
from training.errors import DatasetError

__all__ = ["COMMITTED", "DATASETS", "RUBBISH", "Dataset", "Digits", "SourceFile", "describe", "load", "locate"]

DATASETS: dict[str, Dataset] = {
    dataset.name: dataset
    for dataset in (
        mnist.TRAIN,
        mnist.TEST,
        usps.TRAIN,
        optdigits.ALL,
        ink_marks.MARKS,
        ink_marks.LETTERS,
        ink_marks.LOOKALIKES,
    )
}
"""By name, as configs and the command line say them."""


def describe(name: str) -> Dataset:
    """What is known of the set called `name`.

    Raises:
        DatasetError: there is none of that name.
    """
    if name not in DATASETS:
        raise DatasetError(f"There is no data set {name!r}; the known ones are {', '.join(DATASETS)}.")
    return DATASETS[name]


def load(name: str, data_dir: Path | None = None) -> Digits:
    """Read the set called `name`, looking in `data_dir` first and then in what a clone brings along.

    Raises:
        DatasetError: there is no such set, or a file of it is missing, damaged or another one.
    """
    return _source.load(describe(name), data_dir)
