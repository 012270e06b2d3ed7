"""Pictures read in this process, by the engine as it is served: they share forward passes, decoded side by side."""

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Final, Literal

import cv2

from app.cli.work import Picture
from app.errors import ServiceError
from app.fields.formats import FieldFormat
from app.imaging import DecodeLimits
from app.lenet.registry import FIELD_DEFAULT, Registry, ServedModel, default_model_dir
from app.lenet.weights import Task
from app.runtime import open_backend
from app.serving.admission import Bounds
from app.serving.digit_answer import prediction, threshold_of
from app.serving.digit_options import DigitRequest
from app.serving.engine import Engine, FieldAnswer, FieldJob
from app.serving.field_answer import read_response
from app.serving.field_options import FieldRequest
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics
from app.serving.model_set import ModelSet
from app.serving.models import DigitModel, FieldModel, Model

BATCH: Final = 128  # pictures in a forward pass, as served by default
DEFAULTS: Final[dict[Task, str]] = {"digit": "lenet5", "field": FIELD_DEFAULT}
Read = Callable[[Picture, FieldAnswer, dict[str, Any]], Awaitable[None]]
"""Is told of each field that was read: the picture, how, and the answer."""


@asynccontextmanager
async def engine_of(
    task: Task, *, model: str | None, model_dir: Path | None, device: Literal["auto", "cpu", "cuda"]
) -> AsyncIterator[Engine]:
    """An engine with one model, NAME or NAME:VERSION of a folder; without `model` the one that is served for the task.

    Raises UnknownModel, DeviceUnavailable, and the ModelError of a folder or a model that cannot be used.
    """
    cv2.setNumThreads(1)  # pictures are decoded side by side
    registry = Registry.open(model_dir or default_model_dir(), {})
    served = registry.resolve(model or DEFAULTS[task], task)
    only = Registry((replace(served, default=True),))
    engine = Engine(
        ModelSet(lambda _, load: only.again(load=load), lambda served: _opened(served, device), Metrics()),
        bounds=_UNBOUNDED,
        limits=DecodeLimits(),
        decode_threads=2 * (os.cpu_count() or 1),
    )
    engine.start()
    try:
        yield engine
    finally:
        await engine.close()


class DigitsHere:
    """Answers to pictures of digits."""

    def __init__(self, engine: Engine, asked: DigitRequest) -> None:
        """Raises InvalidParameter."""
        self._engine = engine
        self._model = engine.digit_model(None)
        self._threshold = threshold_of(asked, self._model)
        self._ref = _ref(self._model)

    async def __call__(self, pictures: Sequence[Picture]) -> list[dict[str, Any]]:
        """The wire's `Prediction` of each, or its `ErrorBody`."""
        return await asyncio.gather(*map(self._one, pictures))

    async def _one(self, picture: Picture) -> dict[str, Any]:
        with self._engine.admission.admit(self._model) as ticket:
            try:
                found = await self._engine.classify(picture.data, ticket, self._model, threshold=self._threshold)
            except ServiceError as error:
                return error.body()
            return prediction(found, self._ref)


class FieldsHere:
    """Answers to pictures of fields."""

    def __init__(self, engine: Engine, asked: FieldRequest, field: FieldFormat, read: Read | None) -> None:
        """`read` is told of each field, with its graph."""
        self._engine = engine
        self._model = engine.field_model(None)
        self._asked = asked
        self._field = field
        self._read = read

    async def __call__(self, pictures: Sequence[Picture]) -> list[dict[str, Any]]:
        """The wire's `ReadResponse` of each, or its `ErrorBody`."""
        return await asyncio.gather(*map(self._one, pictures))

    async def _one(self, picture: Picture) -> dict[str, Any]:
        job = FieldJob(
            picture.data, lambda: self._field, self._asked.n_best, self._asked.debug or self._read is not None
        )
        with self._engine.admission.admit(self._model) as ticket:
            try:
                found = await self._engine.read_field(job, ticket, self._model)
            except ServiceError as error:
                return error.body()
        weights = self._model.calibrations.of(self._field.kind)
        answer = read_response(
            found.reading, found.proposal, self._field, self._asked, weights=weights, model=_ref(self._model)
        )
        if self._read is not None:
            await self._read(picture, found, answer)
        return answer


_UNBOUNDED: Final = Bounds(pictures=2**62, pixels=2**62, body_bytes=2**62)
"""Who asks bounds how much is under way."""


class _Nobody:
    """Is told what the batcher does."""

    def queued(self, depth: int) -> None:
        """Nothing comes of it."""

    def inferred(self, size: int, seconds: float) -> None:
        """Nor of this."""


def _opened(served: ServedModel, device: Literal["auto", "cpu", "cuda"]) -> Model:
    backend = open_backend(served.folder, device=device, max_batch_size=BATCH)
    kind = {"digit": DigitModel, "field": FieldModel}[served.task]
    return kind(served, backend, _Nobody(), Lifecycle(), max_batch_size=BATCH, max_batch_delay=0)


def _ref(model: Model) -> dict[str, str]:
    return {"name": model.name, "version": str(model.version)}
