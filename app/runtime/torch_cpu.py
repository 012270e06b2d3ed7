"""The model on a CPU, run by torch: the reference that the other backends are held against."""

from pathlib import Path
from typing import Final

import numpy as np
import torch
from numpy.typing import NDArray

from app.lenet.model import load
from app.runtime.batch import check_batch


class TorchCpuBackend:
    """The model as it was trained, without any preparation."""

    name: Final = "torch-cpu"
    device: Final = "cpu"
    inline: Final = 0

    def __init__(self, folder: Path, max_batch_size: int, threads: int) -> None:
        """Raises a ModelError when the model must not be served. The threads are those of the whole process."""
        self.max_batch_size = max_batch_size
        torch.set_num_threads(threads)
        self._model = load(folder)

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """See Backend."""
        check_batch(inputs, self.max_batch_size)
        with torch.inference_mode():
            logits: NDArray[np.float32] = self._model(torch.from_numpy(inputs.copy())).numpy()
        return logits

    def warm_up(self) -> None:
        """Nothing is prepared."""

    def close(self) -> None:
        """See Backend."""
        del self._model
