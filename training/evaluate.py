"""Measure any model of a model folder on any known set, and hold the figures against those of its manifest."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import numpy.typing as npt
import torch

from app.lenet import model as lenet
from app.lenet.calibration import Calibrated, Calibration
from app.lenet.registry import Registry, ServedModel
from app.runtime import open_backend
from training import datasets, device
from training.datasets import Digits
from training.errors import TrainingError
from training.inputs import Examples, prepare
from training.metrics import Metrics, auroc, measure
from training.progress import Reporter
from training.trainer import logits_of

Backend = Literal["torch", "onnx"]

ONNX_BATCH = 256  # digits

FIGURES = {
    "count": 0.0,
    "misses": 0.0,
    "nll": 1e-4,
    "brier": 1e-4,
    "ece": 1e-4,
    "misread_confidence": 1e-3,
    "nll_over_plain": 1e-3,
    "brier_over_plain": 1e-3,
}
"""What `differences` compares, and how far apart rounding may bring it: another CPU adds in another order."""

ALWAYS_STATED = {"count", "misses", "nll", "brier", "ece"}
"""Those of them that every manifest has; models made before there was a calibration state no others."""

REFUSAL_FIGURES = {"count": 0.0, "accepted": 1e-3, "confidence_auroc": 1e-4, "digitness_auroc": 1e-4}
"""The same for sets of no digit; a picture may lie so near to the threshold that rounding decides."""


@dataclass(frozen=True)
class Evaluation:
    """One model on one set of digits."""

    model: ServedModel
    metrics: Metrics
    accepted: float  # share of the digits that the service would accept, at the model's threshold
    accepted_error_percent: float  # of those

    @property
    def lines(self) -> list[str]:
        """For a person to read."""
        found = self.metrics
        refused = ", ".join(f"{share:.2%} for {error} %" for error, share in found.refused_for)
        return [
            f"error {found.error_percent:.2f} % ({found.misses} of {found.count} misread), NLL {found.nll:.4f}, "
            f"Brier {found.brier:.4f}, ECE {found.ece:.4f}",
            f"over plain temperature scaling: NLL {found.nll_over_plain:.3f}, Brier {found.brier_over_plain:.3f}; "
            f"mean confidence of the misread {found.misread_confidence:.3f}; to refuse: {refused}",
            f"accepted {self.accepted:.2%} at the threshold {self.model.manifest.threshold}, "
            f"of which misread {self.accepted_error_percent:.2f} %",
        ]


@dataclass(frozen=True)
class Refusal:
    """One model on pictures of no digit, beside a set of digits."""

    model: ServedModel
    count: int
    accepted: float  # share that the service would accept, at the model's threshold
    confidence_auroc: float  # how often a digit of the other set has the higher confidence: 0..1
    digitness_auroc: float  # the same by the digitness

    @property
    def lines(self) -> list[str]:
        """For a person to read."""
        return [
            f"{self.accepted:.2%} of {self.count} accepted at the threshold {self.model.manifest.threshold}; "
            f"AUROC against digits {self.confidence_auroc:.4f} by confidence, {self.digitness_auroc:.4f} by digitness"
        ]


@dataclass(frozen=True)
class Answers:
    """What the service would say of a set of pictures, in order."""

    logits: npt.NDArray[np.float32]  # (n, classes)
    calibrated: Calibrated
    digit_like: npt.NDArray[np.bool_]  # (n,), neither blank nor called no digit: what a threshold may accept
    threshold: float  # the model's

    @property
    def accepted(self) -> npt.NDArray[np.bool_]:
        """At the model's threshold: (n,)."""
        return self.accepted_at(self.threshold)

    def accepted_at(self, threshold: float) -> npt.NDArray[np.bool_]:
        """At another one: (n,)."""
        return self.digit_like & (self.calibrated.confidence >= threshold)

    def on(self, labels: npt.NDArray[np.int64]) -> Metrics:
        """The figures, where these are the right digits (n,)."""
        probabilities = self.calibrated.probabilities
        logits = self.logits[:, : probabilities.shape[1]]
        return measure(probabilities, labels, confidence=self.calibrated.confidence, logits=logits)

    def error_percent_of_accepted(self, labels: npt.NDArray[np.int64]) -> float:
        """How many of the accepted are misread, where these are the right digits (n,); 0 when none is accepted."""
        wrong = self.calibrated.probabilities.argmax(axis=1) != labels
        return float(100 * wrong[self.accepted].mean()) if self.accepted.any() else 0.0


def holds_digits(data: str, data_dir: Path | None = None) -> bool:
    """Whether the set called `data` is one for `evaluate`, or else for `refusal`.

    Raises:
        TrainingError: there is no such set, or it is not what it should be.
    """
    return bool((datasets.load(data, data_dir).labels != datasets.RUBBISH).any())


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
    """Measure the model `spec` (NAME, or NAME:VERSION) of `model_dir` on the digits of the set called `data`.

    `backend` "torch" runs the weights on the device `on`, "onnx" the graph that the service runs on a CPU.

    Raises:
        TrainingError: the set or the device is not what it should be.
        ServiceError: there is no such model, or it must not be served.
    """
    model = Registry.open(model_dir, {}).resolve(spec, None)
    digits = datasets.load(data, data_dir)
    if (digits.labels == datasets.RUBBISH).any():
        raise TrainingError(f"{data} holds pictures of no digit, which cannot be misread.")
    found = answers(model, digits, on=on, backend=backend, reporter=reporter)
    return Evaluation(
        model=model,
        metrics=found.on(digits.labels),
        accepted=float(found.accepted.mean()),
        accepted_error_percent=found.error_percent_of_accepted(digits.labels),
    )


def refusal(
    spec: str,
    data: str,
    *,
    digits: str = "mnist-test",
    model_dir: Path,
    data_dir: Path | None = None,
    on: str | None = None,
    backend: Backend = "torch",
    reporter: Reporter | None = None,
) -> Refusal:
    """Measure how well a model tells the set called `data`, pictures of no digit, from the digits of another.

    The other arguments, and what is raised, are those of `evaluate`.
    """
    model = Registry.open(model_dir, {}).resolve(spec, None)
    others, known = (datasets.load(name, data_dir) for name in (data, digits))
    if (others.labels != datasets.RUBBISH).any():
        raise TrainingError(f"{data} holds digits: whether they are told from digits is no question.")
    of_others, of_digits = (
        answers(model, pictures, on=on, backend=backend, reporter=reporter) for pictures in (others, known)
    )
    return Refusal(
        model=model,
        count=len(others),
        accepted=float(of_others.accepted.mean()),
        confidence_auroc=auroc(of_digits.calibrated.confidence, of_others.calibrated.confidence),
        digitness_auroc=auroc(of_digits.calibrated.digitness, of_others.calibrated.digitness),
    )


def answers(
    model: ServedModel,
    digits: Digits,
    *,
    on: str | None = None,
    backend: Backend = "torch",
    reporter: Reporter | None = None,
) -> Answers:
    """What the service would say of each picture, by the calibration and the threshold of the model's manifest.

    Raises:
        TrainingError: the device is not what it should be, or the model has outputs that read no digits.
    """
    where = torch.device("cpu") if backend == "onnx" else device.choose(on)
    try:
        calibration = model.manifest.reading
    except ValueError as error:
        raise TrainingError(f"The model {model.spec} cannot read digits: {error}.") from error
    examples = prepare(digits, where, reporter)
    logits = RUNNERS[backend](model.folder, examples)
    return read(logits, examples.inputs, calibration, model.manifest.threshold)


def read(logits: npt.NDArray[np.float32], inputs: torch.Tensor, calibration: Calibration, threshold: float) -> Answers:
    """What the service says where a model answers `inputs` (n, 1, 32, 32) with `logits` (n, classes)."""
    calibrated = calibration.apply(logits)
    blank = (inputs == 0).all(dim=(1, 2, 3)).cpu().numpy()  # normalize makes zeros of a picture without ink
    calibrated.confidence[blank] = 0.0
    return Answers(logits, calibrated, ~blank & (calibrated.digitness >= calibration.least_digitness), threshold)


def differences(found: Evaluation | Refusal, data: str) -> list[str]:
    """What of the figures on the set `data` is not as the model's manifest states it; empty when all is.

    Raises:
        TrainingError: the manifest has no figures on that set.
    """
    measured: Metrics | Refusal = found.metrics if isinstance(found, Evaluation) else found
    figures = FIGURES if isinstance(measured, Metrics) else REFUSAL_FIGURES
    needed = ALWAYS_STATED if isinstance(measured, Metrics) else figures.keys()
    stated: Mapping[str, Any] | None = found.model.manifest.metrics.get(data)
    if not isinstance(stated, Mapping) or not stated.keys() >= needed:
        raise TrainingError(f"The manifest of {found.model.spec} states no figures on {data} to compare with.")
    return [
        f"{name}: stated {stated[name]}, measured {getattr(measured, name)}"
        for name, tolerance in figures.items()
        if stated.get(name) is not None and not abs(getattr(measured, name) - stated[name]) <= tolerance
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
