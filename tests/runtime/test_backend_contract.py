"""The contract of app.runtime.Backend, held against every backend."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from app.runtime import BACKENDS, Backend, backend_class
from app.runtime.device import driver_device_count

MAX_BATCH_SIZE = 9
NEEDS_CUDA = (pytest.mark.cuda, pytest.mark.skipif(driver_device_count() == 0, reason="no CUDA device"))

# Logits of an RBF output are around -100, where float32 has steps of 8e-6; hence the relative part.
TOLERANCE = {"atol": 1e-5, "rtol": 1e-6}


@pytest.fixture(
    scope="module",
    params=[pytest.param(name, marks=NEEDS_CUDA if name == "torch-cuda" else ()) for name in BACKENDS],
)
def backend(request: pytest.FixtureRequest, model_folder: Path) -> Iterator[Backend]:
    """Each backend with each model, warm."""
    opened = backend_class(request.param)(model_folder, MAX_BATCH_SIZE, 1)
    opened.warm_up()
    yield opened
    opened.close()


def pictures(n: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).random((n, 1, 32, 32), np.float32)


def test_says_what_it_is(backend: Backend) -> None:
    """A backend's name is its key in BACKENDS; it knows its device and its largest batch."""
    assert backend.name in BACKENDS
    assert type(backend).__name__ == BACKENDS[backend.name].partition(":")[2]
    assert backend.device
    assert backend.max_batch_size == MAX_BATCH_SIZE


@pytest.mark.parametrize("n", range(MAX_BATCH_SIZE + 1))
def test_a_batch_is_its_singles(backend: Backend, n: int) -> None:
    """A batch of any size, none included, gives in order what its pictures give one by one, as float32 (n, 10)."""
    inputs = pictures(n)
    logits = backend.infer(inputs)
    assert logits.shape == (n, 10)
    assert logits.dtype == np.float32
    for i in range(n):
        np.testing.assert_allclose(logits[i : i + 1], backend.infer(inputs[i : i + 1]), **TOLERANCE)


def test_is_repeatable(backend: Backend) -> None:
    """The same batch gives the same bits, whatever ran in between."""
    inputs = pictures(5)
    first = backend.infer(inputs)
    backend.infer(pictures(MAX_BATCH_SIZE, seed=1))
    np.testing.assert_array_equal(backend.infer(inputs), first)


def test_order_is_kept(backend: Backend) -> None:
    """Pictures in another order give the same logits in that order, and different pictures different ones."""
    inputs = pictures(MAX_BATCH_SIZE)
    logits = backend.infer(inputs)
    order = np.random.default_rng(3).permutation(MAX_BATCH_SIZE)
    np.testing.assert_allclose(backend.infer(inputs[order]), logits[order], **TOLERANCE)
    assert len(np.unique(logits.round(3), axis=0)) > 1


def test_input_is_not_changed_and_output_is_the_callers(backend: Backend) -> None:
    """The input keeps its values, read-only or not, and a later pass does not write into an earlier answer."""
    inputs = pictures(3)
    before = inputs.copy()
    inputs.flags.writeable = False
    logits = backend.infer(inputs)
    kept = logits.copy()
    backend.infer(pictures(3, seed=1))
    np.testing.assert_array_equal(inputs, before)
    np.testing.assert_array_equal(logits, kept)
    logits += 1
    np.testing.assert_array_equal(backend.infer(inputs), kept)


def test_takes_a_strided_view(backend: Backend) -> None:
    """An input that is not contiguous in memory is the same as its contiguous copy."""
    inputs = pictures(8)[::2, :, ::-1]
    np.testing.assert_array_equal(backend.infer(inputs), backend.infer(np.ascontiguousarray(inputs)))


@pytest.mark.parametrize(
    "inputs",
    [
        np.zeros((1, 32, 32), np.float32),
        np.zeros((1, 1, 28, 28), np.float32),
        np.zeros((1, 3, 32, 32), np.float32),
        np.zeros((1, 1, 32, 32), np.float64),
        np.zeros((1, 1, 32, 32), np.uint8),
        np.zeros((MAX_BATCH_SIZE + 1, 1, 32, 32), np.float32),
    ],
    ids=lambda array: f"{array.dtype}{array.shape}",
)
def test_refuses_what_is_no_batch(backend: Backend, inputs: NDArray[np.float32]) -> None:
    """Another shape, dtype or number is a ValueError that says what a batch is, and the next batch is answered."""
    with pytest.raises(ValueError, match="a batch"):
        backend.infer(inputs)
    assert backend.infer(pictures(1)).shape == (1, 10)


def test_may_be_used_from_another_thread(backend: Backend) -> None:
    """A worker thread gets the answers that the thread which opened the backend gets."""
    inputs = pictures(4)
    with ThreadPoolExecutor(1) as worker:
        np.testing.assert_array_equal(worker.submit(backend.infer, inputs).result(), backend.infer(inputs))


def test_agrees_with_the_reference(backend: Backend, model_folder: Path) -> None:
    """Every backend that runs a model gives torch's logits on a CPU."""
    if backend.name == "fake":
        pytest.skip("it runs no model")
    reference = backend_class("torch-cpu")(model_folder, MAX_BATCH_SIZE, 1)
    inputs = pictures(MAX_BATCH_SIZE)
    np.testing.assert_allclose(backend.infer(inputs), reference.infer(inputs), **TOLERANCE)
