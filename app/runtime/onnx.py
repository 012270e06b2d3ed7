"""The model on a CPU, run by onnxruntime: what serves where there is no GPU. Never imports torch."""

from pathlib import Path
from typing import Final

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it has no annotations
from numpy.typing import NDArray

from app.errors import ModelError
from app.imaging import INPUT_SHAPE
from app.lenet.weights import GRAPH, read_verified
from app.runtime.batch import check_batch


class OnnxBackend:
    """One session with a small pool of threads of its own."""

    name: Final = "onnx"
    device: Final = "cpu"
    inline: Final = 64  # 1.6 ms

    def __init__(self, folder: Path, max_batch_size: int, threads: int) -> None:
        """Raises a ModelError when the model must not be served, or onnxruntime cannot."""
        self.max_batch_size = max_batch_size
        self._session = session_of(folder, GRAPH, threads)
        self._input = self._session.get_inputs()[0].name
        self._outputs = [self._session.get_outputs()[0].name]

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend."""
        check_batch(inputs, self.max_batch_size)
        logits: NDArray[np.float32] = self._session.run(self._outputs, {self._input: inputs})[0]
        return logits

    def warm_up(self) -> None:
        """The largest batch makes the arena as large as it will get, the smallest is the commonest."""
        for n in (self.max_batch_size, 1):
            self.infer(np.zeros((n, *INPUT_SHAPE), np.float32))

    def close(self) -> None:
        """See Backend."""
        del self._session


def session_of(folder: Path, name: str, threads: int, *, arena: bool = True) -> onnxruntime.InferenceSession:
    """A graph of the model in `folder`; with an `arena` it keeps the memory of its largest input.

    Raises a ModelError when the model must not be served, or onnxruntime cannot.
    """
    graph = read_verified(folder, name)
    options = _options(threads)
    options.enable_cpu_mem_arena = arena
    try:
        return onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # its exceptions share no other base
        raise ModelError(f"onnxruntime cannot run {folder / name}: {error}", path=str(folder / name)) from error


def _options(threads: int) -> onnxruntime.SessionOptions:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
    options.log_severity_level = 3  # errors only: its warnings go to standard error, past the service's log
    # Threads that wait by spinning take the cores that uvicorn and other workers need.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    options.add_session_config_entry("session.inter_op.allow_spinning", "0")
    return options
