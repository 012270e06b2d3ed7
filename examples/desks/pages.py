"""Pages and the fields on them: cut out, and read by the service."""

import io
import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from lenet5_client import Client, Lenet5Error
from lenet5_client.options import FieldOptions
from lenet5_client.schemas import ReadResponse
from PIL import Image

Box = tuple[int, int, int, int]


@dataclass(frozen=True)
class Field:
    """One line of digits on a form. Where it lies is the form's; finding it on other paper is not done here."""

    name: str
    box: Box  # x, y, width and height in the page's pixels
    options: FieldOptions


@dataclass(frozen=True)
class Reading:
    """What the service says of a field."""

    field: Field
    crop: bytes  # its part of the page, as PNG; empty where the page is no picture
    answer: ReadResponse | Lenet5Error

    @property
    def text(self) -> str:
        """As it was read; empty where there is nothing."""
        return self.answer.text if isinstance(self.answer, ReadResponse) else ""

    @property
    def confidence(self) -> float:
        """The probability that all of it is right."""
        return self.answer.confidence if isinstance(self.answer, ReadResponse) else 0.0

    @property
    def accepted(self) -> bool:
        """Whether nobody needs to look at it."""
        return isinstance(self.answer, ReadResponse) and self.answer.accepted

    @property
    def reasons(self) -> list[str]:
        """Why it was not accepted: the service's own words for it, or the code of an error."""
        return [*self.answer.reasons] if isinstance(self.answer, ReadResponse) else [self.answer.code]


@dataclass(frozen=True)
class Page:
    """A page, with the readings of its fields in their order."""

    file: Path
    readings: tuple[Reading, ...]

    @property
    def accepted(self) -> bool:
        """Whether all of it was."""
        return all(one.accepted for one in self.readings)


def read(client: Client, files: Sequence[Path], fields: Sequence[Field], target_error: float) -> list[Page]:
    """Every page, read: of what is accepted, at most the share `target_error` of each kind of field is wrong.

    A page that cannot be read costs no other: the error stands in its place.
    """
    crops = [crop for file in files for crop in cut(file, fields)]
    answers = client.read_many(
        crops, each=[field.options for _ in files for field in fields], target_error=target_error, progress=told
    )
    readings = map(Reading, [field for _ in files for field in fields], crops, answers)
    return [Page(file, tuple(next(readings) for _ in fields)) for file in files]


def cut(file: Path, fields: Iterable[Field]) -> Iterator[bytes]:
    """The fields of a page as PNG; nothing of a page that is no picture, for the service to say so."""
    try:
        with Image.open(file) as image:
            image.load()
            crops = [image.crop((x, y, x + width, y + height)) for x, y, width, height in (one.box for one in fields)]
    except OSError:
        yield from (b"" for _ in fields)
        return
    for crop in crops:
        crop.save(out := io.BytesIO(), "PNG")
        yield out.getvalue()


def told(done: int, total: int | None) -> None:
    """How far the work is, for people."""
    if sys.stderr.isatty():
        print(f"\r{done} of {total} fields", end="" if done != total else "\n", file=sys.stderr)
