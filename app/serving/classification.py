"""A picture of one digit on its way through the engine, and what a model says of it."""

from dataclasses import dataclass
from time import perf_counter

import numpy as np
import numpy.typing as npt

from app.errors import ServiceError, Unavailable
from app.imaging import Container, DecodeLimits, Normalized, decode_probed, normalize, probe
from app.serving.batcher import Outcome
from app.serving.models import DigitModel

SMALL_BYTES = 8 * 1024
SMALL_PIXELS = 32 * 32
"""A picture up to these sizes is read on the event loop, with the others of its batch: it takes 0.05 ms, less than a
hop to a thread and back."""


@dataclass(frozen=True, slots=True)
class Timing:
    """Where the time of one answer went, in seconds."""

    decode: float
    queue: float
    infer: float


@dataclass(frozen=True, slots=True)
class Classification:
    """What a model says of one picture."""

    digit: int
    confidence: float  # the probability that `digit` is right, "no digit at all" counted in
    probabilities: list[float]  # ten, summing to 1: given that it is a digit
    reasons: list[str]  # why it is not accepted; empty when it is
    timing: Timing

    @property
    def accepted(self) -> bool:
        """Whether nothing speaks against the answer."""
        return not self.reasons


def normalized_of(container: Container) -> Normalized:
    """The network's input of a picture; raises what `decode_probed` raises."""
    return normalize(decode_probed(container))


class NotSmallError(Exception):
    """The picture has more than SMALL_PIXELS."""

    def __init__(self, container: Container) -> None:
        super().__init__()
        self.container = container


class Small:
    """A small picture, to be read when its batch is taken."""

    normalized: Normalized
    seconds: float  # of reading it

    def __init__(self, data: bytes, limits: DecodeLimits) -> None:
        self._data = data
        self._limits = limits

    def __call__(self) -> npt.NDArray[np.float32]:
        """The network's input; raises what `decode` raises, and NotSmallError."""
        start = perf_counter()
        container = probe(self._data, self._limits)
        if container.width * container.height > SMALL_PIXELS:
            raise NotSmallError(container)
        self.normalized = normalized_of(container)
        self.seconds = perf_counter() - start
        return self.normalized.input


def placed(
    normalized: Normalized,
    outcome: Outcome | BaseException,
    decoded: float,
    model: DigitModel,
    threshold: float | None,
) -> Classification | ServiceError:
    """A picture's place in a bulk answer: its classification, or the failure of the pass that it was in."""
    if isinstance(outcome, ServiceError) and not isinstance(outcome, Unavailable):
        return outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return classified(normalized, outcome, decoded, model, threshold)


def classified(
    normalized: Normalized, outcome: Outcome, decoded: float, model: DigitModel, threshold: float | None
) -> Classification:
    """What the model's row says of a picture that took `decoded` seconds to read."""
    *probabilities, confidence, digitness = outcome.row.tolist()
    digit = probabilities.index(max(probabilities))
    reasons: list[str] = list(normalized.reasons)
    if "blank" in reasons or "not_a_digit" in reasons:  # the picture says so, whatever the network makes of it
        confidence = 0.0
    else:
        if digitness < model.calibration.least_digitness:
            reasons.append("not_a_digit")
        if confidence < (model.threshold if threshold is None else threshold):
            reasons.append("low_confidence")
    return Classification(digit, confidence, probabilities, reasons, Timing(decoded, outcome.queued, outcome.infer))
