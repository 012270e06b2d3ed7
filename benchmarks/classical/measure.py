"""One method measured: what it misreads, how large it is, how long it learns and how long it answers."""

import pickle
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from io import BytesIO
from statistics import median
from typing import Any

import numpy as np
import numpy.typing as npt

from training.inputs import Examples
from training.metrics import measure

ALONE = 200  # digits answered one by one, for the time that one takes
REFUSED = 0.05  # of the test digits, the least sure

Probabilities = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.floating[Any]]]


@dataclass(frozen=True)
class Row:
    """What one method came to."""

    name: str
    features: str  # who made them
    error_percent: Mapping[str, float]  # by data set
    sure_error_percent: float  # on MNIST's test digits, when the least sure of them are refused
    numbers: int  # in the arrays that it keeps
    size: int  # of those arrays, in bytes
    fit_seconds: float | None  # of processor time, as all seconds here; None: it was not taught here
    alone_seconds: float  # a digit that comes alone, median
    bulk_seconds: float  # a digit among many, mean
    paper_error_percent: float | None = None  # MNIST test error that the paper states of this method


def flat(examples: Examples) -> npt.NDArray[np.float32]:
    """Inputs as rows: float32 (n, 1024)."""
    rows: npt.NDArray[np.float32] = examples.inputs.numpy().reshape(len(examples), -1)
    return rows


def errors(answer: Probabilities, sets: Mapping[str, Examples]) -> tuple[dict[str, float], float, float]:
    """Error in percent on each set; on the first, that of the surer ones, and the seconds that a digit took."""
    found = {}
    sure = seconds = 0.0
    for index, (name, examples) in enumerate(sets.items()):
        start = time.process_time()
        probabilities = answer(flat(examples))
        if index == 0:
            seconds = (time.process_time() - start) / len(examples)
        metrics = measure(probabilities, examples.labels.numpy())
        found[name] = metrics.error_percent
        if index == 0:
            sure = dict(metrics.rejects)[REFUSED]
    return found, sure, seconds


def seconds_alone(answer: Probabilities, examples: Examples) -> float:
    """Median over some digits, each asked for by itself."""
    rows = flat(examples)[:ALONE]
    answer(rows[:1])
    times = []
    for row in rows:
        start = time.process_time()
        answer(row[None])
        times.append(time.process_time() - start)
    return median(times)


def kept(classifier: Any) -> tuple[int, int]:
    """How many numbers are in the arrays that a taught classifier keeps, and their bytes."""
    counter = _Counter(BytesIO())
    counter.dump(classifier)
    arrays = counter.arrays.values()
    return sum(array.size for array in arrays), sum(array.nbytes for array in arrays)


class _Counter(pickle.Pickler):
    """Notes every array of numbers on the way, once."""

    def __init__(self, file: BytesIO) -> None:
        super().__init__(file)
        self.arrays: dict[int, npt.NDArray[Any]] = {}

    def persistent_id(self, obj: Any) -> str | None:
        if isinstance(obj, np.ndarray) and obj.dtype != object:
            self.arrays[id(obj)] = obj
            return "array"
        return None
