"""The space displacement network of a model of fields: what it says of a whole line, on a CPU, wherever LeNet-5 runs.

A line takes it a millisecond, so it is not batched: it runs in the thread that has just cleaned the line.
"""

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.lenet.weights import LINE_GRAPH
from app.runtime.onnx import session_of


class LineBackend:
    """One session, for any number of threads at a time."""

    def __init__(self, folder: Path) -> None:
        """Raises a ModelError when the model must not be served, or onnxruntime cannot."""
        self._session = session_of(folder, LINE_GRAPH, threads=1, arena=False)  # one in a thousand lines is long
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name]

    def log_probabilities(self, strip: NDArray[np.float32]) -> NDArray[np.float32]:
        """(w / 2, 11): of ten digits and the blank, at each step along a strip (32, w), w even."""
        found: NDArray[np.float32] = self._session.run(self._outputs, {self._input: strip[None, None]})[0][0]
        return found
