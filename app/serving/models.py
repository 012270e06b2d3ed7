"""What is being served: a backend with its batcher, and what turns its logits into rows of an answer."""

import asyncio
from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor
from math import isfinite

import numpy as np
import numpy.typing as npt
import structlog

from app.errors import BackendFailed, InferenceFailed, ManifestInvalid
from app.fields.calibration import FieldCalibrations
from app.fields.scores import log_probabilities
from app.imaging import INPUT_SHAPE
from app.lenet.activations import Network
from app.lenet.calibration import Calibration
from app.lenet.registry import ServedModel
from app.runtime import Backend, open_line
from app.serving.batcher import Batcher, Observer, Tracer
from app.serving.lifecycle import Lifecycle

log = structlog.get_logger("lenet5.models")

FIELD_CLASSES = 11  # outputs of a model of fields: ten digits, and no digit
PROBE_INTERVAL, PROBE_PATIENCE = 0.25, 2.0
"""Seconds between forward passes, and until they are given up, that find out whether a device still computes."""


class Model(ABC):
    """One model that is being served: its backend, its batcher, its own thread for forward passes."""

    def __init__(
        self,
        served: ServedModel,
        backend: Backend,
        observer: Observer,
        lifecycle: Lifecycle,
        *,
        max_batch_size: int,
        max_batch_delay: float,
        tracer: Tracer | None = None,
    ) -> None:
        """Raises ManifestInvalid when it has another number of outputs than what reads its task has.

        And, as for other faults of its weights, a ModelError.
        """
        self._prepare(served)
        self.name = served.name
        self.version = served.version
        self.backend = backend
        self.held = 0  # requests that are not answered yet, as the door counts them
        self._lifecycle = lifecycle
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"infer-{self.name}-{self.version}")
        self.batcher = Batcher(
            lambda inputs: self.rows(self._logits(inputs)),
            self._executor,
            self._examine,
            max_batch_size=max_batch_size,
            max_batch_delay=max_batch_delay,
            inline=backend.inline,
            observer=observer,
            tracer=tracer,
        )

    @abstractmethod
    def _prepare(self, served: ServedModel) -> None:
        """Take what answers need; raises a ModelError."""

    @abstractmethod
    def rows(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Logits (n, classes) to what each caller gets of them: (n, ...)."""

    async def close(self) -> None:
        """Answer what was taken, then free the device."""
        await self.batcher.close()
        self.free()

    def free(self) -> None:
        """Free the device; nothing runs on it."""
        self._executor.shutdown()
        self.backend.close()

    def _logits(self, inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
        """The network's outputs (n, classes); raises InferenceFailed where one is no number."""
        logits = self.backend.infer(inputs)
        if not isfinite(np.vdot(logits, logits)):  # the quickest way to see that all are: 0.7 us
            raise InferenceFailed("The device gave something that is no number.")
        return logits

    async def _examine(self, error: Exception) -> BackendFailed | None:
        """After a forward pass failed: see by others whether the device still computes; till then it is suspect."""
        spec = f"{self.name}:{self.version}"
        log.error("forward pass failed", model=spec, exc_info=error)
        self._lifecycle.suspects.add(spec)
        try:
            async with asyncio.timeout(PROBE_PATIENCE):
                while not await self._passes():  # noqa: ASYNC110 - nobody could set an event
                    await asyncio.sleep(PROBE_INTERVAL)
        except TimeoutError:
            failure = BackendFailed(f"The device of {spec} computes no more: {type(error).__name__}: {error}")
            self._lifecycle.fail(failure)
            return failure
        self._lifecycle.suspects.discard(spec)
        return None

    async def _passes(self) -> bool:
        """Whether a forward pass comes to an end, and to numbers."""
        blank = np.zeros((1, *INPUT_SHAPE), np.float32)
        try:
            await asyncio.get_running_loop().run_in_executor(self._executor, self._logits, blank)
        except Exception:  # noqa: BLE001 - whatever it is, it is a pass that failed
            return False
        return True


class DigitModel(Model):
    """A model that reads single digits."""

    def _prepare(self, served: ServedModel) -> None:
        self.threshold = served.manifest.threshold
        self.calibration = _calibration(served)
        self.network = Network.load(served.folder)  # to be looked at; read now, as the files may be replaced later

    def rows(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """(n, 12), as `Calibrated` has them."""
        return self.calibration.apply(logits).rows


class FieldModel(Model):
    """A model that reads the candidates of fields, and whole lines where it has a network for that."""

    def _prepare(self, served: ServedModel) -> None:
        self.calibrations = field_calibrations(served)
        self.line = open_line(served.folder)

    def rows(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Log-probabilities (n, 11)."""
        return log_probabilities(logits)


def _calibration(served: ServedModel) -> Calibration:
    """How a model's logits are read."""
    try:
        return served.manifest.reading
    except ValueError as error:
        raise ManifestInvalid(f"The model in {served.folder} cannot read digits: {error}.") from error


def field_calibrations(served: ServedModel) -> FieldCalibrations:
    """What a model's scores need before they are a reading. Raises ManifestInvalid when it cannot read fields."""
    classes = served.manifest.architecture.num_classes
    if classes != FIELD_CLASSES:
        raise ManifestInvalid(
            f"The model in {served.folder} cannot read fields: it has {classes} outputs, not {FIELD_CLASSES}."
        )
    try:
        return FieldCalibrations.from_dict(served.manifest.field_calibration or {})
    except ValueError as error:
        raise ManifestInvalid(f"The field_calibration of {served.folder} cannot be used: {error}.") from error
