"""What the service does with pictures, whoever asks: the HTTP layer translates, the engine decides."""

import asyncio
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from time import perf_counter
from typing import Final, TypeVar

import numpy as np
import numpy.typing as npt

from app.errors import ManifestInvalid, ServiceError
from app.imaging import DecodeLimits, Normalized, decode, normalize, probe
from app.lenet.calibration import Calibration
from app.lenet.registry import Registry, ServedModel
from app.runtime import Backend
from app.serving.admission import Admission, Bounds, Ticket
from app.serving.batcher import Batcher, Observer, Outcome

T = TypeVar("T")
TASK: Final = "digit"
INLINE_BYTES = 64 * 1024
INLINE_PIXELS = 32 * 32
"""A picture up to these sizes is read on the event loop: a clean one takes 0.05 ms, less than a hop to a thread and
back, and the noisiest about 1 ms."""
BULK_SLICE = 16
"""Pictures of a bulk request that one decoding job takes, so that the threads share the request."""


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


class DigitModel:
    """One model that is being served: its backend, its batcher, its own thread for forward passes."""

    def __init__(
        self, served: ServedModel, backend: Backend, observer: Observer, *, max_batch_size: int, max_batch_delay: float
    ) -> None:
        self.name = served.name
        self.version = served.version
        self.threshold = served.manifest.threshold
        self.calibration = _calibration(served)
        self.backend = backend
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"infer-{self.name}-{self.version}")
        self.batcher = Batcher(
            self._rows,
            self._executor,
            max_batch_size=max_batch_size,
            max_batch_delay=max_batch_delay,
            observer=observer,
        )

    def _rows(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Inputs (n, 1, 32, 32) to what the model says of each: (n, 12), as `Calibrated` has them."""
        return self.calibration.apply(self.backend.infer(inputs)).rows

    async def close(self) -> None:
        """Answer what was taken, then free the device."""
        await self.batcher.close()
        self._executor.shutdown()
        self.backend.close()


class Engine:
    """The models that are served, behind one door."""

    def __init__(
        self,
        registry: Registry,
        open_model: Callable[[ServedModel], DigitModel],
        *,
        bounds: Bounds,
        limits: DecodeLimits,
        decode_threads: int,
    ) -> None:
        self.registry = registry
        self.admission = Admission(bounds)
        self._limits = limits
        self._models: Mapping[tuple[str, int], DigitModel] = {
            (served.name, served.version): open_model(served) for served in registry.served if served.task == TASK
        }
        bulk = decode_threads // 2
        self._decoders = ThreadPoolExecutor(decode_threads - bulk, thread_name_prefix="decode")
        self._bulk_decoders = ThreadPoolExecutor(bulk, thread_name_prefix="decode-bulk")

    def start(self) -> None:
        """Begin to answer on the running event loop."""
        for model in self._models.values():
            model.batcher.start()

    async def close(self) -> None:
        """Answer what was taken, then free everything."""
        await asyncio.gather(*(model.close() for model in self._models.values()))
        self._decoders.shutdown()
        self._bulk_decoders.shutdown()

    def model(self, spec: str | None) -> DigitModel:
        """The model that `name`, `name:version` or None (the default) means; raises UnknownModel."""
        served = self.registry.resolve(spec, TASK)
        return self._models[served.name, served.version]

    async def classify(
        self, data: bytes, ticket: Ticket, model: DigitModel, *, threshold: float | None
    ) -> Classification:
        """The digit in one encoded picture.

        Raises ImageTooLarge, UnsupportedMediaType, InvalidImage, QueueFull, InferenceFailed, Draining.
        """
        start = perf_counter()
        normalized = await self._read(data, ticket)
        decoded = perf_counter() - start
        outcome = await model.batcher.submit(normalized.input)
        return _classification(normalized, outcome, decoded, model, threshold)

    async def classify_many(
        self, pictures: Sequence[bytes], ticket: Ticket, model: DigitModel, *, threshold: float | None
    ) -> list[Classification | ServiceError]:
        """The digits in encoded pictures, in order; a picture that cannot be read gets its own error in its place.

        Raises QueueFull before any work is done, InferenceFailed, Draining.
        """
        start = perf_counter()
        probed = await self._in_slices(self._pixels, pictures)
        ticket.reserve(pixels=sum(pixels for pixels in probed if isinstance(pixels, int)))
        results = await self._in_slices(self._normalize, pictures)
        decoded = (perf_counter() - start) / max(len(pictures), 1)
        futures = model.batcher.submit_many([result.input for result in results if isinstance(result, Normalized)])
        outcomes = iter(await asyncio.gather(*futures, return_exceptions=True))
        return [
            result if isinstance(result, ServiceError) else _placed(result, next(outcomes), decoded, model, threshold)
            for result in results
        ]

    async def _in_slices(self, function: Callable[[bytes], T], pictures: Sequence[bytes]) -> list[T | ServiceError]:
        """The function's result for each picture, or the error that it raised there, from the bulk's own threads."""
        loop = asyncio.get_running_loop()
        parts = await asyncio.gather(
            *(
                loop.run_in_executor(self._bulk_decoders, _each, function, pictures[i : i + BULK_SLICE])
                for i in range(0, len(pictures), BULK_SLICE)
            )
        )
        return [result for part in parts for result in part]

    async def _read(self, data: bytes, ticket: Ticket) -> Normalized:
        """One encoded picture to the network's input, holding its pixels at the door while it is under way."""
        loop = asyncio.get_running_loop()
        if len(data) <= INLINE_BYTES:
            pixels = self._pixels(data)
        else:
            pixels = await loop.run_in_executor(self._decoders, self._pixels, data)
        ticket.reserve(pixels=pixels)
        if len(data) <= INLINE_BYTES and pixels <= INLINE_PIXELS:
            return self._normalize(data)
        return await loop.run_in_executor(self._decoders, self._normalize, data)

    def _pixels(self, data: bytes) -> int:
        header = probe(data, self._limits)
        return header.width * header.height

    def _normalize(self, data: bytes) -> Normalized:
        return normalize(decode(data, self._limits))


def _each(function: Callable[[bytes], T], pictures: Sequence[bytes]) -> list[T | ServiceError]:
    """The function's result for each picture, or the error that it raised there."""
    results: list[T | ServiceError] = []
    for data in pictures:
        try:
            results.append(function(data))
        except ServiceError as error:
            results.append(error)
    return results


def _calibration(served: ServedModel) -> Calibration:
    """How a model's logits are read. Raises ManifestInvalid when it has another number of outputs than digits have."""
    try:
        return served.manifest.reading
    except ValueError as error:
        raise ManifestInvalid(f"The model in {served.folder} cannot read digits: {error}.") from error


def _placed(
    normalized: Normalized,
    outcome: Outcome | BaseException,
    decoded: float,
    model: DigitModel,
    threshold: float | None,
) -> Classification | ServiceError:
    """A picture's place in a bulk answer: its classification, or the failure of the pass that it was in."""
    if isinstance(outcome, ServiceError):
        return outcome
    if isinstance(outcome, BaseException):
        raise outcome
    return _classification(normalized, outcome, decoded, model, threshold)


def _classification(
    normalized: Normalized, outcome: Outcome, decoded: float, model: DigitModel, threshold: float | None
) -> Classification:
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
