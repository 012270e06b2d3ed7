"""What the service does with pictures, whoever asks: the HTTP layer translates, the engine decides."""

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from time import perf_counter
from typing import TypeVar

import numpy as np
import numpy.typing as npt

from app.errors import ImageTooLarge, ServiceError, Unavailable
from app.fields import reader as fields
from app.fields.formats import FieldFormat
from app.fields.reader import Proposal, Reading
from app.imaging import Container, DecodeLimits, Normalized, probe
from app.lenet.registry import Registry
from app.runtime import LineReader
from app.serving.admission import Admission, Bounds, Ticket
from app.serving.classification import (
    SMALL_BYTES,
    SMALL_PIXELS,
    Classification,
    NotSmallError,
    Small,
    Timing,
    classified,
    normalized_of,
    placed,
)
from app.serving.field_answer import proposal_of
from app.serving.model_set import ModelSet
from app.serving.models import FIELD_CLASSES, DigitModel, FieldModel

T = TypeVar("T")
BULK_SLICE = 16
"""Pictures of a bulk request that one decoding job takes, so that the threads share the request."""
LARGEST_AT_ONCE = 256
"""A request's pictures may have the pixels of so many of the largest: that much work one request may be."""
FIELDS_AT_ONCE = 16
"""Fields of a bulk request that are under way at a time: each may hold some hundred candidates."""


@dataclass(frozen=True, slots=True)
class FieldJob:
    """A field to be read."""

    data: bytes  # the encoded picture
    make_format: Callable[[], FieldFormat]  # called in a decoding thread: one of many allowed strings takes a while
    n_best: int
    debug: bool


@dataclass(frozen=True, slots=True)
class FieldAnswer:
    """What a model reads in one field."""

    reading: Reading
    proposal: Proposal
    format: FieldFormat
    timing: Timing


class Engine:
    """The models that are served, behind one door."""

    def __init__(
        self,
        models: ModelSet,
        *,
        bounds: Bounds,
        limits: DecodeLimits,
        decode_threads: int,
    ) -> None:
        self.models = models
        self.admission = Admission(bounds)
        self._limits = limits
        bulk = decode_threads // 2
        self._decoders = ThreadPoolExecutor(decode_threads - bulk, thread_name_prefix="decode")
        self._bulk_decoders = ThreadPoolExecutor(bulk, thread_name_prefix="decode-bulk")

    @property
    def registry(self) -> Registry:
        """What is served now."""
        return self.models.registry

    def start(self) -> None:
        """Begin to answer on the running event loop."""
        self.models.start()

    async def close(self) -> None:
        """Answer what was taken, then free everything."""
        await self.models.close()
        self._decoders.shutdown()
        self._bulk_decoders.shutdown()

    def digit_model(self, spec: str | None) -> DigitModel:
        """The model that `name`, `name:version` or None (the default) means; raises UnknownModel."""
        return self.models.digit(spec)

    def field_model(self, spec: str | None) -> FieldModel:
        """The model of fields that `name`, `name:version` or None (the default) means; raises UnknownModel."""
        return self.models.field(spec)

    async def classify(
        self, data: bytes, ticket: Ticket, model: DigitModel, *, threshold: float | None
    ) -> Classification:
        """The digit in one encoded picture.

        Raises ImageTooLarge, UnsupportedMediaType, InvalidImage, QueueFull, InferenceFailed, Draining.
        """
        container = None
        if len(data) <= SMALL_BYTES:
            ticket.reserve(pixels=SMALL_PIXELS)
            small = Small(data, self._limits)
            try:
                outcome = await model.batcher.submit(small)
            except NotSmallError as error:  # few bytes may hold many pixels
                container = error.container
            else:
                return classified(small.normalized, outcome, small.seconds, model, threshold)
        start, loop = perf_counter(), asyncio.get_running_loop()
        if container is None:
            container = await loop.run_in_executor(self._decoders, self.probe, data)
        ticket.reserve(pixels=container.width * container.height)
        normalized = await loop.run_in_executor(self._decoders, normalized_of, container)
        decoded = perf_counter() - start
        outcome = await model.batcher.submit(normalized.input)
        return classified(normalized, outcome, decoded, model, threshold)

    async def classify_many(
        self, pictures: Sequence[bytes], ticket: Ticket, model: DigitModel, *, threshold: float | None
    ) -> list[Classification | ServiceError]:
        """The digits in encoded pictures, in order; a picture that cannot be read gets its own error in its place.

        Raises QueueFull before any work is done, InferenceFailed, Draining.
        """
        start = perf_counter()
        results = await self.normalize_many(pictures, ticket)
        decoded = (perf_counter() - start) / max(len(pictures), 1)
        futures = model.batcher.submit_many([result.input for result in results if isinstance(result, Normalized)])
        outcomes = iter(await asyncio.gather(*futures, return_exceptions=True))
        return [
            result if isinstance(result, ServiceError) else placed(result, next(outcomes), decoded, model, threshold)
            for result in results
        ]

    async def normalize_many(self, pictures: Sequence[bytes], ticket: Ticket) -> list[Normalized | ServiceError]:
        """Encoded pictures in the network's form, in order; one that cannot be read gets its own error in its place.

        Raises QueueFull, and ImageTooLarge where all are too large together, before any is decoded.
        """
        probed = await self._in_slices(self._pixels, pictures)
        pixels = sum(pixels for pixels in probed if isinstance(pixels, int))
        if pixels > (most := LARGEST_AT_ONCE * self._limits.max_pixels):
            raise ImageTooLarge(f"The pictures have more than {most} pixels together.", limit=most, actual=pixels)
        ticket.reserve(pixels=pixels)
        return await self._in_slices(self._read_in_bulk, pictures)

    async def in_bulk(self, function: Callable[[], T]) -> T:
        """Run `function` in one of the bulk's few threads: what it needs of memory is not needed many times at once."""
        return await asyncio.get_running_loop().run_in_executor(self._bulk_decoders, function)

    async def read_field(self, job: FieldJob, ticket: Ticket, model: FieldModel) -> FieldAnswer:
        """The text of one encoded picture of a field.

        Raises what `classify` raises, and what the job's `make_format` does.
        """
        return await self._field(job, ticket, model, self._decoders, bulk=False)

    async def read_fields(
        self, jobs: Sequence[FieldJob], ticket: Ticket, model: FieldModel
    ) -> list[FieldAnswer | ServiceError]:
        """The texts of fields, in order; one that cannot be read gets its own error in its place.

        Raises QueueFull before any work is done, and Draining.
        """
        probed = await self._in_slices(self._pixels, [job.data for job in jobs])
        ticket.reserve(pixels=sum(pixels for pixels in probed if isinstance(pixels, int)))
        room = asyncio.Semaphore(FIELDS_AT_ONCE)

        async def one(job: FieldJob) -> FieldAnswer | ServiceError:
            async with room:
                try:
                    return await self._field(job, None, model, self._bulk_decoders, bulk=True)
                except Unavailable:
                    raise
                except ServiceError as error:
                    return error

        return await asyncio.gather(*map(one, jobs))

    async def _field(
        self, job: FieldJob, ticket: Ticket | None, model: FieldModel, pool: ThreadPoolExecutor, *, bulk: bool
    ) -> FieldAnswer:
        """Propose in a thread, show the network all candidates at once, decode in a thread."""
        loop, start = asyncio.get_running_loop(), perf_counter()
        if ticket is not None:
            ticket.reserve(pixels=await loop.run_in_executor(pool, self._pixels, job.data))
        field, proposal, line_log_probs = await loop.run_in_executor(pool, self._propose, job, model.line)
        proposed = perf_counter()
        outcomes = await asyncio.gather(*model.batcher.submit_many(list(proposal.inputs), bulk=bulk))
        shown = perf_counter()
        log_probs = np.array([outcome.row for outcome in outcomes]).reshape(len(outcomes), FIELD_CLASSES)
        decoding = partial(
            fields.decode,
            proposal,
            log_probs,
            line_log_probs,
            field,
            n_best=job.n_best,
            weights=model.calibrations.of(field.kind),
            debug=job.debug,
        )
        reading = await loop.run_in_executor(pool, decoding)
        infer = sum({outcome.infer for outcome in outcomes})  # of the passes that the candidates were in
        timing = Timing(perf_counter() - shown + proposed - start, max(shown - proposed - infer, 0.0), infer)
        return FieldAnswer(reading, proposal, field, timing)

    def _propose(
        self, job: FieldJob, line: LineReader | None
    ) -> tuple[FieldFormat, Proposal, npt.NDArray[np.float32] | None]:
        field, proposal = job.make_format(), proposal_of(job.data, self._limits)
        return field, proposal, line.log_probabilities(proposal.strip) if line else None

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

    def probe(self, data: bytes) -> Container:
        """What a picture says of itself; raises what `app.imaging.probe` raises. For a thread."""
        return probe(data, self._limits)

    def _pixels(self, data: bytes) -> int:
        container = self.probe(data)
        return container.width * container.height

    def _read_in_bulk(self, data: bytes) -> Normalized:
        return normalized_of(self.probe(data))


def _each(function: Callable[[bytes], T], pictures: Sequence[bytes]) -> list[T | ServiceError]:
    """The function's result for each picture, or the error that it raised there."""
    results: list[T | ServiceError] = []
    for data in pictures:
        try:
            results.append(function(data))
        except ServiceError as error:
            results.append(error)
    return results
