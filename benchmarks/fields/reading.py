"""Fields read as the service reads them, without the service: one thread, one field at a time."""

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt

from app.fields import reader
from app.fields.calibration import FieldCalibrations
from app.fields.scores import log_probabilities
from app.fields.segmentation import MAX_CANDIDATES
from app.lenet.registry import ServedModel
from app.runtime.line import LineBackend
from app.runtime.onnx import OnnxBackend
from app.serving.field_answer import refusals
from app.serving.field_options import TARGET_ERROR
from app.serving.models import field_calibrations
from benchmarks.fields.cases import Case
from training.fields.calibrate import calibration_of
from training.fields.line import load, of_fold
from training.fields.line_training import log_probabilities as log_probabilities_of_line

Infer = Callable[[npt.NDArray[np.float32]], npt.NDArray[np.float32]]

N_BEST = 5


@dataclass(frozen=True)
class Answer:
    """What was read in a case."""

    case: Case
    text: str
    confidence: float
    alternatives: tuple[str, ...]  # the N_BEST texts, the likeliest first
    accepted: bool  # at the threshold of TARGET_ERROR
    seconds: float
    network_seconds: float  # of those, in the forward passes
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
    """Networks with what turns their scores into readings."""

    name: str  # of the model, or of what it has not learnt from
    infer: Infer  # (n, 1, 32, 32) -> logits (n, 11)
    line: Infer  # (32, w) -> log-probabilities (steps, 11)
    calibrations: FieldCalibrations  # how their scores are weighed, and what they are worth

    def read(self, case: Case) -> Answer:
        """The case's picture, timed."""
        weights = self.calibrations.of(case.format.kind)
        begun = time.perf_counter()
        proposal = reader.propose(case.picture)
        asked = time.perf_counter()
        logits = self.infer(proposal.inputs) if len(proposal.inputs) else np.zeros((0, 11), np.float32)
        line_log_probs = self.line(proposal.strip)
        answered = time.perf_counter()
        log_probs = log_probabilities(logits)
        reading = reader.decode(proposal, log_probs, line_log_probs, case.format, n_best=N_BEST, weights=weights)
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
    backend = OnnxBackend(model.folder, MAX_CANDIDATES, threads=1)
    line = LineBackend(model.folder)
    return FieldReader(model.spec, backend.infer, line.log_probabilities, field_calibrations(model))


def without(fold: int, model: ServedModel, runs: Path) -> FieldReader:
    """The model as it is without a fold of the cheques: neither its line's network nor its calibration has seen them.

    Raises:
        CheckpointError: the network is not there.
        OSError: it was not calibrated (python -m training.fields.calibrate --cheques).
    """
    network = load(runs, of_fold(fold))
    values = json.loads(calibration_of(runs, fold).read_text(encoding="utf-8"))
    of_model = served(model)
    return replace(
        of_model,
        name=of_fold(fold),
        line=partial(log_probabilities_of_line, network),
        calibrations=FieldCalibrations.from_dict(values),
    )
