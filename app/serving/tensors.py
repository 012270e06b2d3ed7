"""Whole tensors of pictures through a model's batcher.

A tensor goes in a few blocks at a time, each one future. So it costs little more than the forward passes themselves,
other tensors and single pictures come between its blocks, and a caller that goes away leaves at most those behind.
"""

import asyncio
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ServiceError
from app.imaging import from_input_form, from_mnist_form
from app.lenet.calibration import DIGITS
from app.serving.admission import Ticket
from app.serving.batcher import Array
from app.serving.engine import Engine
from app.serving.models import DigitModel

BLOCKS_AT_ONCE = 2
"""Of one tensor: half a batch. That is the quickest size on a CPU, by its cache, and another request that comes waits
for half as long as it would for a full one."""


async def probabilities(images: npt.NDArray[Any], model: DigitModel) -> npt.NDArray[np.float32]:
    """Of the ten digits for each picture: float32 (n, 10), rows sum to 1.

    `images` is uint8 (n, 28, 28) or (n, 32, 32) in MNIST's form, or float32 (n, 1, 32, 32), ink 0..1. Raises
    InvalidImage for values that are no ink, InferenceFailed, Draining.
    """
    found = np.empty((len(images), DIGITS), np.float32)
    size = model.batcher.max_block_size
    for start in range(0, len(images), BLOCKS_AT_ONCE * size):
        stop = min(start + BLOCKS_AT_ONCE * size, len(images))
        blocks = [_inputs(images, i, min(i + size, stop)) for i in range(start, stop, size)]
        outcomes = await asyncio.gather(*model.batcher.submit_blocks(blocks, bulk=len(images) > 1))
        np.concatenate([outcome.rows[:, :DIGITS] for outcome in outcomes], out=found[start:stop], casting="same_kind")
    return found


async def probabilities_of_encoded(
    pictures: Sequence[bytes], ticket: Ticket, engine: Engine, model: DigitModel
) -> npt.NDArray[np.float32]:
    """The same for encoded pictures.

    Raises what `Engine.normalize_many` does, and the error of the first picture that cannot be read, with its place.
    """
    inputs = []
    for place, result in enumerate(await engine.normalize_many(pictures, ticket)):
        if isinstance(result, ServiceError):
            result.message = f"The picture {place} cannot be read: {result.message}"
            raise result
        inputs.append(result.input)
    return await probabilities(np.array(inputs, np.float32).reshape(len(inputs), 1, 32, 32), model)


def _inputs(images: npt.NDArray[Any], start: int, stop: int) -> Array:
    """The network's inputs for a part of a tensor."""
    part = images[start:stop]
    return from_mnist_form(part) if part.dtype == np.uint8 else from_input_form(part, start)
