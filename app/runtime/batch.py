"""What every backend does with a batch before it runs it."""

import numpy as np
from numpy.typing import NDArray

from app.imaging import INPUT_SHAPE


def check_batch(inputs: NDArray[np.float32], max_batch_size: int) -> None:
    """Raise ValueError unless `inputs` is float32 (n, 1, 32, 32) with n <= max_batch_size."""
    if inputs.dtype != np.float32 or inputs.ndim != 4 or inputs.shape[1:] != INPUT_SHAPE:
        expected = ", ".join(str(side) for side in INPUT_SHAPE)
        raise ValueError(f"a batch is float32 (n, {expected}), not {inputs.dtype} {inputs.shape}")
    if len(inputs) > max_batch_size:
        raise ValueError(f"a batch has at most {max_batch_size} pictures, not {len(inputs)}")


def bucket_sizes(max_batch_size: int) -> tuple[int, ...]:
    """The batch sizes that a device with fixed shapes prepares: the powers of two below the maximum, and that.

    A batch runs in the smallest that holds it, so that less than half of any pass is padding.
    """
    powers = (1 << exponent for exponent in range(max_batch_size.bit_length()))
    return (*(size for size in powers if size < max_batch_size), max_batch_size)


def bucket_for(n: int, buckets: tuple[int, ...]) -> int:
    """The smallest of the ascending `buckets` that holds n pictures. Raises ValueError when none does."""
    for size in buckets:
        if n <= size:
            return size
    raise ValueError(f"a batch has at most {buckets[-1]} pictures, not {n}")


def fill_padded(staging: NDArray[np.float32], inputs: NDArray[np.float32]) -> None:
    """Copy `inputs` to the start of `staging`, float32 (bucket, 1, 32, 32), and blank the rest."""
    staging[: len(inputs)] = inputs
    staging[len(inputs) :] = 0
