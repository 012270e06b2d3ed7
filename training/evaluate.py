"""Measure any model of a model folder on any known set, and hold the figures against those of its manifest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from app.lenet import model as lenet
from app.lenet.registry import Registry, ServedModel
from app.runtime import open_backend
from training import datasets, device
from training.errors import TrainingError
from training.inputs import Examples, prepare
from training.metrics import Metrics, measure, softmax
from training.progress import Reporter
from training.trainer import logits_of

Backend = Literal["torch", "onnx"]

ONNX_BATCH = 256  # digits

FIGURES = {"count": 0.0, "misses": 0.0, "nll": 1e-4, "brier": 1e-4, "ece": 1e-4}
"""What `differences` compares, and how far apart rounding may bring it: another CPU adds in another order."""


@dataclass(frozen=True)
class Evaluation:
    """One model on one set."""

    model: ServedModel
    metrics: Metrics
    accepted: float  # share of the digits whose confidence reaches the model's threshold
    accepted_error_percent: float  # of those


def evaluate(
    spec: str,
    data: str,
    *,
    model_dir: Path,
    data_dir: Path | None = None,
    on: str | None = None,
    backend: Backend = "torch",
    reporter: Reporter | None = None,
) -> Evaluation:
    """Measure the model `spec` (NAME, or NAME:VERSION) of `model_dir` on the set called `data`.

    `backend` "torch" runs the weights on the device `on`, "onnx" the graph that the service runs on a CPU.

    Raises:
        TrainingError: the set or the device is not what it should be.
        ServiceError: there is no such model, or it must not be served.
    """
    model = Registry.open(model_dir, {}).resolve(spec, "digit")
    digits = datasets.load(data, data_dir)
    where = torch.device("cpu") if backend == "onnx" else device.choose(on)
    probabilities = softmax(RUNNERS[backend](model.folder, prepare(digits, where, reporter)))
    sure = probabilities.max(axis=1) >= model.manifest.threshold
    wrong = probabilities.argmax(axis=1) != digits.labels
    return Evaluation(
        model=model,
        metrics=measure(probabilities, digits.labels),
        accepted=float(sure.mean()),
        accepted_error_percent=float(100 * wrong[sure].mean()) if sure.any() else 0.0,
    )


def differences(evaluation: Evaluation, data: str) -> list[str]:
    """What of the figures on the set `data` is not as the model's manifest states it; empty when all is.

    Raises:
        TrainingError: the manifest has no figures on that set.
    """
    stated: Mapping[str, Any] | None = evaluation.model.manifest.metrics.get(data)
    if not isinstance(stated, Mapping) or not stated.keys() >= FIGURES.keys():
        raise TrainingError(f"The manifest of {evaluation.model.spec} states no figures on {data} to compare with.")
    return [
        f"{name}: stated {stated[name]}, measured {measured}"
        for name, tolerance in FIGURES.items()
        if not abs((measured := getattr(evaluation.metrics, name)) - stated[name]) <= tolerance
    ]


def _torch(folder: Path, examples: Examples) -> npt.NDArray[np.float32]:
    logits: npt.NDArray[np.float32] = logits_of(lenet.load(folder).to(examples.labels.device), examples).numpy()
    return logits


def _onnx(folder: Path, examples: Examples) -> npt.NDArray[np.float32]:
    backend = open_backend(folder, device="cpu", max_batch_size=ONNX_BATCH)
    inputs = examples.inputs.numpy()
    try:
        parts = [backend.infer(inputs[first : first + ONNX_BATCH]) for first in range(0, len(inputs), ONNX_BATCH)]
    finally:
        backend.close()
    return np.concatenate(parts)


RUNNERS: dict[Backend, Callable[[Path, Examples], npt.NDArray[np.float32]]] = {"torch": _torch, "onnx": _onnx}
"""How a model's logits are had, by the backend's name."""
