"""What the examples of a step are: as they lie, distorted anew each time, or from copies that were distorted before."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor

from training.augment import Augment
from training.inputs import Examples
from training.progress import Reporter, Silent
from training.teacher import Teachers

PIECE = 500  # examples that are distorted and shown to the teachers at a time
FULL = 255  # a copy's pixels are whole numbers up to this, as MNIST's are


@dataclass(frozen=True)
class Batch:
    """The examples of one step."""

    inputs: Tensor  # float32 (n, 1, 32, 32)
    labels: Tensor  # int64 (n,)
    taught: Tensor | None  # the teachers' logits, float32 (n, classes)


class Batches:
    """Every example once an epoch, in the order and sizes of the indices that are asked for."""

    def __init__(self, examples: Examples, augment: Augment | None = None, teachers: Teachers | None = None) -> None:
        self.examples = examples
        self.augment = augment
        self.teachers = teachers

    def __len__(self) -> int:
        return len(self.examples)

    def take(self, epoch: int, index: Tensor) -> Batch:  # noqa: ARG002  (copies differ from epoch to epoch)
        """The examples at `index` (n,) as epoch `epoch` (from 0) sees them."""
        inputs = self.examples.inputs.index_select(0, index)
        if self.augment:
            inputs = self.augment(inputs)
        taught = self.teachers(inputs) if self.teachers else None
        return Batch(inputs, self.examples.labels.index_select(0, index), taught)


class Copies(Batches):
    """Distorted copies made once, at the first step, and learnt in turn: the teachers see each but once."""

    def __init__(
        self,
        examples: Examples,
        augment: Augment | None,
        teachers: Teachers | None,
        count: int,
        reporter: Reporter | None = None,
    ) -> None:
        super().__init__(examples)
        self._count = count
        self._make = partial(_copy, examples, augment, teachers, reporter or Silent())
        self._copies: list[tuple[Tensor, Tensor | None]] = []

    def take(self, epoch: int, index: Tensor) -> Batch:
        """See Batches."""
        if not self._copies:  # a run that is resumed after its last epoch needs none
            self._copies = [self._make(f"copy {number}/{self._count}") for number in range(1, self._count + 1)]
        inputs, taught = self._copies[epoch % self._count]
        return Batch(
            inputs.index_select(0, index).float() / FULL,
            self.examples.labels.index_select(0, index),
            None if taught is None else taught.index_select(0, index).float(),
        )


def _copy(
    examples: Examples, augment: Augment | None, teachers: Teachers | None, say: Reporter, what: str
) -> tuple[Tensor, Tensor | None]:
    """All examples distorted, uint8 (n, 1, 32, 32), and the teachers' logits, float16 (n, classes)."""
    inputs, taught = [], []
    pieces: Sequence[Tensor] = examples.inputs.split(PIECE)  # type: ignore[no-untyped-call]
    for piece in say.track(pieces, what, len(pieces)):
        quantised = ((augment(piece) if augment else piece) * FULL).round().to(torch.uint8)
        inputs.append(quantised)
        if teachers:
            taught.append(teachers(quantised.float() / FULL).half())
    return torch.cat(inputs), torch.cat(taught) if teachers else None
