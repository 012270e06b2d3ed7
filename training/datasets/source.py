"""What the project knows of a data set, and how one of its files is found and trusted."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import numpy.typing as npt

from training.errors import DatasetError

COMMITTED = Path(__file__).parents[1] / "data"
"""The folder that a clean clone brings along: MNIST."""

RUBBISH: Final = 10
"""The label of what is no digit."""

Array = npt.NDArray[Any]


@dataclass(frozen=True)
class Digits:
    """Labelled pictures of digits, in the order of their source."""

    name: str
    pictures: npt.NDArray[np.uint8]  # (n, h, w), ink 255, background 0
    labels: npt.NDArray[np.int64]  # (n,), 0..9, or RUBBISH

    def __len__(self) -> int:
        return len(self.labels)

    def take(self, index: npt.NDArray[np.int64]) -> "Digits":
        """The digits at `index` (k,), in that order."""
        return Digits(self.name, self.pictures[index], self.labels[index])


class SourceFile(Protocol):
    """One file of a data set; `training.datasets.idx` and `.npz` have the two kinds."""

    @property
    def path(self) -> str:
        """Where it lies below a data folder."""

    @property
    def mirrors(self) -> tuple[str, ...]:
        """URLs to fetch it from, tried in order; none where it must be made by hand."""

    @property
    def by_hand(self) -> str:
        """How a person gets it where there is no mirror."""

    @property
    def max_bytes(self) -> int:
        """The file is never larger than this: a download stops here."""

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of the content (the unzipped bytes, the arrays), by name."""

    def read(self, location: Path) -> dict[str, Array]:
        """The arrays in the file at `location`.

        Raises:
            DatasetError: the file is damaged or is another one.
        """


@dataclass(frozen=True)
class Dataset:
    """One named set: where it comes from, what it may be used for, and how it is read."""

    name: str
    title: str
    url: str
    licence: str  # as its source states it
    count: int  # digits
    files: tuple[SourceFile, ...]
    to_digits: Callable[[Mapping[str, Array]], tuple[Array, Array]]  # arrays of all files -> pictures, labels

    @property
    def checksums(self) -> dict[str, str]:
        """SHA-256 of every file's content."""
        return {name: digest for file in self.files for name, digest in file.checksums.items()}


def locate(file: SourceFile, data_dir: Path | None) -> Path:
    """Where `file` lies: in `data_dir` if it is there, else in the folder that a clone brings along.

    Raises:
        DatasetError: it is in neither; the message says how to get it. Or there is no folder `data_dir`.
    """
    if data_dir is not None and not data_dir.is_dir():
        raise DatasetError(f"The data folder {data_dir} is not there.")
    folders = [COMMITTED] if data_dir is None else [data_dir, COMMITTED]
    for folder in folders:
        if (folder / file.path).is_file():
            return folder / file.path
    how = (
        f"Fetch it with: python -m training fetch {Path(file.path).parts[0]} --data-dir DIR"
        if file.mirrors
        else file.by_hand
    )
    raise DatasetError(f"{file.path} is not in {' or '.join(map(str, folders))}. {how}")


def load(dataset: Dataset, data_dir: Path | None = None) -> Digits:
    """Read and check a whole set.

    Raises:
        DatasetError: a file is missing, damaged or another one, or does not hold what the set should.
    """
    arrays: dict[str, Array] = {}
    for file in dataset.files:
        arrays |= file.read(locate(file, data_dir))
    pictures, labels = dataset.to_digits(arrays)
    if not len(pictures) == len(labels) == dataset.count:
        raise DatasetError(
            f"{dataset.name}: expected {dataset.count} digits, found {len(pictures)} pictures and {len(labels)} labels"
        )
    return Digits(dataset.name, pictures.astype(np.uint8, copy=False), labels.astype(np.int64))
