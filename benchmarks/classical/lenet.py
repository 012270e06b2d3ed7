"""LeNet-5 in the shape of the other methods: one taught here from the same digits, and those of a model folder."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime  # type: ignore[import-untyped]
import torch

from app.imaging import INPUT_SHAPE
from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from app.lenet.onnx_graph import INPUT_NAME, onnx_bytes
from app.lenet.weights import load_tensors
from benchmarks.comparison import standardised
from training.config import Recipe
from training.inputs import Examples
from training.metrics import softmax
from training.trainer import Trainer

RECIPE = Recipe(epochs=10, batch_size=64, learning_rate=1e-3)  # the baseline config's
BATCH = 64  # digits in one pass
DIGITS = 10  # a network may have an eleventh output, for what is no digit


class LeNetGraph:
    """A network's graph on one thread of onnxruntime, which is what the service runs on a CPU."""

    def __init__(self, graph: bytes) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self._session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])

    def predict_proba(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """(n, 1024) -> (n, 10), given that it is a digit."""
        inputs = x.reshape(-1, *INPUT_SHAPE)
        starts = range(0, len(inputs), BATCH)
        logits = [self._session.run(None, {INPUT_NAME: inputs[start : start + BATCH]})[0] for start in starts]
        return softmax(np.concatenate(logits)[:, :DIGITS])


class TaughtLeNet:
    """The baseline network, taught by the baseline's recipe."""

    model: LeNet5
    graph: LeNetGraph

    def fit(self, x: npt.NDArray[np.float32], y: npt.NDArray[np.int64]) -> "TaughtLeNet":
        """Learn from inputs (n, 1024) and their digits (n,)."""
        torch.manual_seed(0)
        examples = Examples(torch.from_numpy(x.reshape(-1, *INPUT_SHAPE)), torch.from_numpy(y))
        self.model = LeNet5.from_architecture(standardised(Architecture(), x))
        trainer = Trainer(self.model, examples, RECIPE, seed=0)
        while trainer.epoch < RECIPE.epochs:
            trainer.run_epoch()
        self.graph = LeNetGraph(onnx_bytes(self.model))
        return self

    def predict_proba(self, x: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """(n, 1024) -> (n, 10)."""
        return self.graph.predict_proba(x)

    def __getstate__(self) -> dict[str, Any]:
        """What it keeps: its weights."""
        return {name: tensor.numpy() for name, tensor in self.model.state_dict().items()}


class ServedLeNet(LeNetGraph):
    """A model of a model folder, NAME/VERSION/."""

    def __init__(self, folder: Path) -> None:
        super().__init__((folder / "model.onnx").read_bytes())
        tensors = load_tensors(folder).values()
        self.kept = sum(tensor.size for tensor in tensors), sum(tensor.nbytes for tensor in tensors)  # numbers, bytes
