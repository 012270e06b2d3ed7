"""The door: what a worker holds for its callers is bounded, from the first byte of a body to the answer.

Counting only what waits for the device would let slow decoding hide an overload, and nobody would be told to go away.
Pictures count once their body is whole: else callers that never finish one would keep all others out.
"""

from dataclasses import dataclass
from types import TracebackType
from typing import Protocol

from app.errors import QueueFull
from app.serving.pacing import Pacing


@dataclass(frozen=True)
class Bounds:
    """How much a worker holds before it refuses more."""

    pictures: int
    pixels: int
    body_bytes: int


class Held(Protocol):
    """What must stay as long as requests hold it: a model."""

    held: int  # how many do


class Admission:
    """Counts what is accepted and not yet answered, and refuses above its bounds."""

    def __init__(self, bounds: Bounds, pacing: Pacing | None = None) -> None:
        self.bounds = bounds
        self._pacing = pacing or Pacing()
        self.pictures = 0
        self.pixels = 0
        self.body_bytes = 0

    def admit(self, model: Held) -> "Ticket":
        """A ticket for one request to `model`; QueueFull when not one picture more can be taken."""
        if self.pictures >= self.bounds.pictures:
            raise self.full(1)
        return Ticket(self, model)

    def full(self, pictures: int) -> QueueFull:
        """The refusal of so many, with its evidence and the time at which to come back."""
        return QueueFull(
            "The queue is full; try again after the seconds in Retry-After.",
            retry_after=self._pacing.turn(pictures),
            held={"pictures": self.pictures, "pixels": self.pixels, "body_bytes": self.body_bytes},
            limits=vars(self.bounds),
        )

    def hold(self, pictures: int, pixels: int, body_bytes: int) -> None:
        """So much more, or less."""
        if pictures:
            self._pacing.holds(self.pictures, self.pictures + pictures)
        self.pictures += pictures
        self.pixels += pixels
        self.body_bytes += body_bytes


class Ticket:
    """What one request holds of the bounds, and its model; a context manager that gives both back."""

    def __init__(self, admission: Admission, model: Held) -> None:
        self._admission = admission
        self._model = model
        self._pictures = 0
        self._pixels = 0
        self._body_bytes = 0

    def reserve(self, *, pictures: int = 0, pixels: int = 0, body_bytes: int = 0) -> None:
        """Hold more, or raise QueueFull. A request that has the worker to itself is never refused."""
        door, bounds = self._admission, self._admission.bounds
        alone = door.pictures == self._pictures and door.body_bytes == self._body_bytes
        if not alone and (
            door.pictures + pictures > bounds.pictures
            or door.pixels + pixels > bounds.pixels
            or door.body_bytes + body_bytes > bounds.body_bytes
        ):
            raise door.full(max(1, pictures))
        self._take(pictures, pixels, body_bytes)

    def _take(self, pictures: int, pixels: int, body_bytes: int) -> None:
        self._admission.hold(pictures, pixels, body_bytes)
        self._pictures += pictures
        self._pixels += pixels
        self._body_bytes += body_bytes

    def __enter__(self) -> "Ticket":
        self._model.held += 1
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._take(-self._pictures, -self._pixels, -self._body_bytes)
        self._model.held -= 1
