"""Fields read as the service reads them, without the service: one thread, one field at a time."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch

from app.fields import reader
from app.fields.calibration import FieldCalibrations
from app.fields.scores import log_probabilities
from app.fields.segmentation import MAX_CANDIDATES
from app.fields.views import VIEWS, merged
from app.lenet.registry import ServedModel
from app.runtime.onnx import OnnxBackend
from app.serving.field_answer import refusals
from app.serving.field_options import TARGET_ERROR
from app.serving.models import field_calibrations
from benchmarks.fields.cases import Case
from training.fields import folds
from training.fields.calibrate import FILE

Infer = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

N_BEST = 5
MAX_BATCH = MAX_CANDIDATES * VIEWS


@dataclass(frozen=True)
class Answer:
    """What was read in a case."""

    case: Case
    text: str
    confidence: float
    alternatives: tuple[str, ...]  # the N_BEST texts, the likeliest first
    accepted: bool  # at the threshold of TARGET_ERROR
    seconds: float
    network_seconds: float  # of those, in the forward pass
    candidates: int

    @property
    def right(self) -> bool:
        """Whether the text is the truth."""
        return self.case.right(self.text)

    def against(self, truth: str) -> "Answer":
        """The same answer, held against another truth."""
        return replace(self, case=replace(self.case, truth=truth))

    @property
    def among_best(self) -> bool:
        """Whether the truth is among the alternatives."""
        return self.right or any(map(self.case.right, self.alternatives))


@dataclass(frozen=True)
class FieldReader:
    """A network with what turns its scores into readings."""

    name: str  # of the model or the run
    infer: Infer  # (n, 1, 32, 32) -> logits (n, 11)
    calibrations: FieldCalibrations  # how its scores are weighed, and what a posterior is worth

    def read(self, case: Case) -> Answer:
        """The case's picture, timed."""
        weights = self.calibrations.of(case.format.kind)
        begun = time.perf_counter()
        proposal = reader.propose(case.picture)
        asked = time.perf_counter()
        logits = self.infer(proposal.views) if len(proposal.views) else np.zeros((0, 11), np.float32)
        answered = time.perf_counter()
        log_probs = merged(log_probabilities(logits))
        reading = reader.decode(proposal, log_probs, case.format, n_best=N_BEST, weights=weights)
        done = time.perf_counter()
        threshold = weights.threshold(TARGET_ERROR)
        return Answer(
            case=case,
            text=reading.text,
            confidence=reading.confidence,
            alternatives=tuple(one.text for one in reading.alternatives),
            accepted=not refusals(reading, threshold),
            seconds=done - begun,
            network_seconds=answered - asked,
            candidates=len(proposal.inputs),
        )

    def read_all(self, cases: Iterable[Case]) -> list[Answer]:
        """Every case."""
        return [self.read(case) for case in cases]


def served(model: ServedModel) -> FieldReader:
    """A model of the model folder, as a CPU serves it."""
    backend = OnnxBackend(model.folder, MAX_BATCH, threads=1)
    return FieldReader(model.spec, backend.infer, field_calibrations(model))


def trained(folder: Path) -> FieldReader:
    """The network of a run that was not shipped, with the calibration that lies beside it.

    Raises:
        CheckpointError: there is no run, it is damaged, or it stopped half way.
        OSError: it was not calibrated (python -m training.fields.calibrate).
    """
    network = folds.load(folder)
    values = json.loads((folder / FILE).read_text(encoding="utf-8"))

    def infer(inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        with torch.no_grad():
            logits: npt.NDArray[np.float32] = network(torch.from_numpy(inputs)).numpy()
        return logits

    return FieldReader(folder.name, infer, FieldCalibrations.from_dict(values))
