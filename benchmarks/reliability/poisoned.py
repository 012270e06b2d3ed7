"""`lenet5 serve` on a device that fails for good, as a GPU does after an illegal access, in the process that first sees
the file named by POISON; it removes that file.

    POISON=FILE python -m benchmarks.reliability.poisoned serve ...
"""

import os
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.__main__ import main
from app.runtime.onnx import OnnxBackend

FATAL = "CUDA error: an illegal memory access was encountered"


class Poison:
    """Once taken, every forward pass of this process fails."""

    def __init__(self) -> None:
        self._file = Path(os.environ["POISON"])
        self._taken = False

    def check(self) -> None:
        """Raises RuntimeError from the moment on that the file was there."""
        if not self._taken and self._file.exists():
            self._file.unlink()
            self._taken = True
        if self._taken:
            raise RuntimeError(FATAL)


class PoisonedBackend(OnnxBackend):
    """The CPU's backend, until it is poisoned."""

    poison = Poison()

    def infer(self, inputs: NDArray[np.float32]) -> NDArray[np.float32]:
        """As the CPU's; raises RuntimeError once poisoned."""
        self.poison.check()
        return super().infer(inputs)


# At import, since a worker imports this module too; nothing else of it is run there.
import app.runtime.onnx  # noqa: E402

app.runtime.onnx.OnnxBackend = PoisonedBackend  # type: ignore[misc] # a backend is found by its name

if __name__ == "__main__":
    main()
