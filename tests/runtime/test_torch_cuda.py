"""app.runtime.torch_cuda: what only a GPU shows, besides the contract."""

from pathlib import Path

import numpy as np
import pytest

from app.runtime import backend_class
from app.runtime.batch import bucket_sizes
from app.runtime.device import driver_device_count

pytestmark = [pytest.mark.cuda, pytest.mark.skipif(driver_device_count() == 0, reason="no CUDA device")]


def test_a_request_allocates_nothing_on_the_device(model_folder: Path) -> None:
    """Once warm, batches of every size leave the device's allocation counters where they were."""
    import torch

    backend = backend_class("torch-cuda")(model_folder, 33, 1)
    backend.warm_up()
    before = torch.cuda.memory_stats()["allocation.all.allocated"]
    for n in range(1, 34):
        backend.infer(np.ones((n, 1, 32, 32), np.float32))
    assert torch.cuda.memory_stats()["allocation.all.allocated"] == before
    backend.close()


def test_padding_does_not_show(model_folder: Path) -> None:
    """A picture's logits are the same in every bucket, to rounding, whatever the batch before held."""
    backend = backend_class("torch-cuda")(model_folder, 16, 1)
    picture = np.random.default_rng(0).random((1, 1, 32, 32), np.float32)
    alone = backend.infer(picture)
    for size in bucket_sizes(16):
        backend.infer(np.full((size, 1, 32, 32), np.nan, np.float32))
        found = backend.infer(np.repeat(picture, max(1, size - 1), axis=0))
        np.testing.assert_allclose(found, np.repeat(alone, len(found), axis=0), atol=1e-5, rtol=1e-6)
    backend.close()
