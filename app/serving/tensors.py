"""Whole tensors of pictures through a model's batcher.

A tensor goes in block by block, each one future. So it costs little more than the forward passes themselves, other
tensors and single pictures come between its blocks, and a caller that goes away leaves at most one behind.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from app.errors import ServiceError
from app.imaging import INPUT_SHAPE, from_input_form, from_mnist_form
from app.lenet.calibration import DIGITS
from app.serving.admission import Ticket
from app.serving.engine import Engine
from app.serving.models import DigitModel


async def probabilities(images: npt.NDArray[Any], model: DigitModel) -> npt.NDArray[np.float32]:
    """Of the ten digits for each picture: float32 (n, 10), rows sum to 1.

    `images` is uint8 (n, 28, 28) or (n, 32, 32) in MNIST's form, or float32 (n, 1, 32, 32), ink 0..1. Raises
    InvalidImage for values that are no ink, InferenceFailed, Draining.
    """
    found = np.empty((len(images), DIGITS), np.float32)
    size = model.batcher.max_block_size
    # Used anew for each block: memory that is new to the process would take ten times as long as what is written there.
    inputs = np.zeros((min(size, len(images)), *INPUT_SHAPE), np.float32)
    for start in range(0, len(images), size):
        part = images[start : start + size]
        block = inputs[: len(part)]
        if part.dtype == np.uint8:
            from_mnist_form(part, block)
        else:
            np.copyto(
                block, from_input_form(part, start)
            )  # its bytes may begin anywhere, and floats have to be aligned
        outcome = await model.batcher.submit_block(block, bulk=len(images) > 1)
        found[start : start + size] = outcome.rows[:, :DIGITS]
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
