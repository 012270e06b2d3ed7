"""What the examples of a step are: as they lie, distorted anew each time, or from copies that were distorted before."""

from dataclasses import dataclass

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
    """Distorted copies made once and learnt in turn, one an epoch: the teachers see each but once."""

    def __init__(
        self,
        examples: Examples,
        augment: Augment | None,
        teachers: Teachers | None,
        count: int,
        reporter: Reporter | None = None,
    ) -> None:
        super().__init__(examples)
        pieces = -(-len(examples) // PIECE)
        self._inputs: list[Tensor] = []  # uint8 (n, 1, 32, 32) each
        self._taught: list[Tensor | None] = []  # float16 (n, classes) each
        for copy in range(count):
            inputs, taught = [], []
            split = examples.inputs.split(PIECE)  # type: ignore[no-untyped-call]
            for piece in (reporter or Silent()).track(split, f"copy {copy + 1}/{count}", pieces):
                quantised = ((augment(piece) if augment else piece) * FULL).round().to(torch.uint8)
                inputs.append(quantised)
                if teachers:
                    taught.append(teachers(quantised.float() / FULL).half())
            self._inputs.append(torch.cat(inputs))
            self._taught.append(torch.cat(taught) if teachers else None)

    def take(self, epoch: int, index: Tensor) -> Batch:
        """See Batches."""
        copy = epoch % len(self._inputs)
        taught = self._taught[copy]
        return Batch(
            self._inputs[copy].index_select(0, index).float() / FULL,
            self.examples.labels.index_select(0, index),
            None if taught is None else taught.index_select(0, index).float(),
        )
