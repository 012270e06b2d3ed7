"""What is read of somebody's own data, and what is not: one bad picture spoils only its own place."""

import hashlib
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.errors import RequestError
from app.imaging import INPUT_SHAPE, normalize
from app.imaging.decode import Gray
from training.errors import DatasetError
from training.progress import Reporter, Silent

NOT_A_DIGIT = 10
"""The label of what is no digit; the index of the output that a model may have for it."""

CLASSES = {str(digit): digit for digit in range(10)} | {"none": NOT_A_DIGIT, "rubbish": NOT_A_DIGIT}
"""How labels are written: as folders' names and in a CSV, in any case of letters."""


@dataclass(frozen=True)
class Item:
    """One labelled picture, not yet read."""

    name: str  # where a person finds it
    label: int  # 0..9, or NOT_A_DIGIT
    group: str | None  # whatever must not be on both sides of a split: a writer, a form, a day
    gray: Callable[[], Gray]  # reads it; raises RequestError or OSError


@dataclass(frozen=True)
class Skipped:
    """A picture that cannot be learnt from."""

    name: str
    code: str  # of app.errors for a picture that the service refuses; else unreadable, or blank
    reason: str  # a sentence


@dataclass(frozen=True)
class OwnDigits:
    """Labelled pictures as the service would hand them to the network."""

    name: str  # of the folder or file they come from
    inputs: npt.NDArray[np.float32]  # (n, 1, 32, 32), ink 0..1, background 0
    labels: npt.NDArray[np.int64]  # (n,), 0..9 or NOT_A_DIGIT
    groups: tuple[str, ...] | None  # of each picture, where the data name groups
    skipped: tuple[Skipped, ...]

    def __len__(self) -> int:
        return len(self.labels)

    @property
    def counts(self) -> dict[str, int]:
        """Pictures of each class that there is, by its name: 0 to 9, none."""
        found = Counter(self.labels.tolist())
        return {("none" if label == NOT_A_DIGIT else str(label)): found[label] for label in sorted(found)}

    def picture_ids(self) -> npt.NDArray[np.int64]:
        """A number for each picture (n,), equal for pictures that are the same to the network."""
        flat = np.ascontiguousarray(self.inputs).reshape(len(self), -1)
        rows = flat.view(np.dtype((np.void, flat.shape[1] * flat.itemsize))).ravel()
        return np.unique(rows, return_inverse=True)[1].astype(np.int64)

    def sha256(self) -> str:
        """Of inputs, labels and groups, in their order: tells whether two runs saw the same."""
        digest = hashlib.sha256(np.ascontiguousarray(self.inputs).data)
        digest.update(np.ascontiguousarray(self.labels).data)
        digest.update("\n".join(self.groups or ()).encode())
        return digest.hexdigest()


def collect(name: str, items: Sequence[Item], reporter: Reporter | None = None) -> OwnDigits:
    """Read every picture and normalise it as the service does; what cannot be is listed in `skipped`.

    The items have all a group or none has.

    Raises:
        DatasetError: nothing is left.
    """
    inputs = np.empty((len(items), *INPUT_SHAPE), np.float32)
    kept: list[Item] = []
    skipped: list[Skipped] = []
    for item in (reporter or Silent()).track(items, f"reading {name}", len(items)):
        try:
            made = normalize(item.gray())
        except RequestError as error:
            skipped.append(Skipped(item.name, error.code, error.message))
        except OSError as error:
            skipped.append(Skipped(item.name, "unreadable", error.strerror or str(error)))
        else:
            if "blank" in made.reasons:
                skipped.append(Skipped(item.name, "blank", "There is no ink in it."))
                continue
            inputs[len(kept)] = made.input
            kept.append(item)
    if not kept:
        first = f"; the first is {skipped[0].name}: {skipped[0].reason}" if skipped else ""
        raise DatasetError(f"{name}: of {len(items)} pictures none can be learnt from{first}")
    groups = tuple(item.group for item in kept if item.group is not None)
    labels = np.array([item.label for item in kept], np.int64)
    return OwnDigits(name, inputs[: len(kept)], labels, groups or None, tuple(skipped))
