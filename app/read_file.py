"""Fields in files, read without a service: what `lenet5 read` does."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lenet5_client.schemas import ModelRef, ReadResponse

from app.errors import InvalidParameter, ServiceError
from app.explain import explanation
from app.fields import reader
from app.fields.calibration import FieldCalibrations
from app.fields.formats import FieldFormat
from app.fields.reader import Proposal, Reading
from app.fields.scores import log_probabilities
from app.fields.segmentation import MAX_CANDIDATES
from app.fields.views import VIEWS, merged
from app.imaging import DecodeLimits, decode
from app.lenet.registry import FIELD_DEFAULT, Registry, ServedModel, default_model_dir
from app.runtime import Backend, open_backend
from app.serving.field_answer import proposal_of, read_response
from app.serving.field_options import FieldOptions
from app.serving.models import field_calibrations

BATCH = MAX_CANDIDATES * VIEWS


class FileError(ServiceError):
    """A file cannot be read, or written."""

    code = "file_error"


@dataclass(frozen=True)
class Found:
    """What was read in a picture, and how."""

    data: bytes  # the encoded picture
    proposal: Proposal
    reading: Reading
    answer: dict[str, Any]  # the wire's `ReadResponse`


@dataclass(frozen=True)
class FileReader:
    """A model of fields on this machine's CPU."""

    served: ServedModel
    calibrations: FieldCalibrations
    backend: Backend

    @classmethod
    @contextmanager
    def opened(cls, model_dir: Path | None, model: str | None) -> Iterator["FileReader"]:
        """The model NAME or NAME:VERSION of a folder; without them the one that /read has by default.

        Raises UnknownModel and the ModelError of a folder or a model that cannot be used.
        """
        served = Registry.open(model_dir or default_model_dir(), {}).resolve(model or FIELD_DEFAULT, "field")
        backend = open_backend(served.folder, device="cpu", max_batch_size=BATCH)
        try:
            yield cls(served, field_calibrations(served), backend)
        finally:
            backend.close()

    def read(self, data: bytes, field: FieldFormat, asked: FieldOptions, *, graph: bool = False) -> Found:
        """An encoded picture's text; with `graph` the reading has its segmentation graph, be it asked for or not.

        Raises ImageTooLarge, UnsupportedMediaType, InvalidImage.
        """
        proposal = proposal_of(data, DecodeLimits())
        log_probs = merged(log_probabilities(self.backend.infer(proposal.views)))
        debug = graph or asked.debug
        weights = self.calibrations.of(field.kind)
        reading = reader.decode(proposal, log_probs, field, n_best=asked.n_best, weights=weights, debug=debug)
        model = ModelRef(name=self.served.name, version=str(self.served.version)).model_dump()
        answer = read_response(reading, proposal, field, asked, weights=weights, model=model)
        return Found(data, proposal, reading, answer)


def content(file: Path) -> bytes:
    """A file's bytes. Raises FileError."""
    try:
        return file.read_bytes()
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}.", file=str(file)) from error


def text(file: Path) -> str:
    """A file's text. Raises FileError, and InvalidParameter for what is no UTF-8."""
    try:
        return content(file).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InvalidParameter(f"{file} is no text in UTF-8.", file=str(file)) from None


def write_explanation(file: Path, found: Found) -> None:
    """How a field was read, as a PNG; `found` has its graph. Raises FileError."""
    picture = decode(found.data, DecodeLimits())
    drawn = explanation(picture, found.proposal, found.reading, ReadResponse.model_validate(found.answer))
    try:
        drawn.save(file, "PNG")
    except OSError as error:
        raise FileError(f"{file} cannot be written: {error.strerror}.", file=str(file)) from error
