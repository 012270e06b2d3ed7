"""What is being served: a backend with its batcher, and what turns its logits into rows of an answer."""

from abc import ABC, abstractmethod
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import numpy.typing as npt

from app.errors import ManifestInvalid
from app.fields.calibration import FieldCalibrations
from app.fields.scores import log_probabilities
from app.lenet.calibration import Calibration
from app.lenet.registry import ServedModel
from app.runtime import Backend
from app.serving.batcher import Batcher, Observer

FIELD_CLASSES = 11  # outputs of a model of fields: ten digits, and no digit


class Model(ABC):
    """One model that is being served: its backend, its batcher, its own thread for forward passes."""

    def __init__(
        self, served: ServedModel, backend: Backend, observer: Observer, *, max_batch_size: int, max_batch_delay: float
    ) -> None:
        self.name = served.name
        self.version = served.version
        self.backend = backend
        self._executor = ThreadPoolExecutor(1, thread_name_prefix=f"infer-{self.name}-{self.version}")
        self.batcher = Batcher(
            lambda inputs: self.rows(self.backend.infer(inputs)),
            self._executor,
            max_batch_size=max_batch_size,
            max_batch_delay=max_batch_delay,
            inline=backend.inline,
            observer=observer,
        )

    @abstractmethod
    def rows(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """Logits (n, classes) to what each caller gets of them: (n, ...)."""

    async def close(self) -> None:
        """Answer what was taken, then free the device."""
        await self.batcher.close()
        self._executor.shutdown()
        self.backend.close()


class DigitModel(Model):
    """A model that reads single digits."""

    def __init__(
        self, served: ServedModel, backend: Backend, observer: Observer, *, max_batch_size: int, max_batch_delay: float
    ) -> None:
        """Raises ManifestInvalid when it has another number of outputs than what reads digits has."""
        super().__init__(served, backend, observer, max_batch_size=max_batch_size, max_batch_delay=max_batch_delay)
        self.threshold = served.manifest.threshold
        self.calibration = _calibration(served)

    def rows(self, logits: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """(n, 12), as `Calibrated` has them."""
        return self.calibration.apply(logits).rows


class FieldModel(Model):
    """A model that reads the candidates of fields."""

    def __init__(
        self, served: ServedModel, backend: Backend, observer: Observer, *, max_batch_size: int, max_batch_delay: float
    ) -> None:
        """Raises ManifestInvalid when it has another number of outputs than what reads fields has."""
        super().__init__(served, backend, observer, max_batch_size=max_batch_size, max_batch_delay=max_batch_delay)
        self.calibrations = field_calibrations(served)

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
