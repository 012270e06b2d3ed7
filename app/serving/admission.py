"""The door: what is accepted and not yet answered is bounded, decoding included.

Counting only what waits for the device would let slow decoding hide an overload, and nobody would be told to go away.
"""

from types import TracebackType

from app.errors import QueueFull


class Admission:
    """Counts the pictures and pixels that are accepted and not yet answered, and refuses above its bounds."""

    def __init__(self, *, max_pictures: int, max_pixels: int) -> None:
        self.max_pictures = max_pictures
        self.max_pixels = max_pixels
        self.pictures = 0
        self.pixels = 0

    def admit(self) -> "Ticket":
        """A ticket for one request of one picture, or QueueFull."""
        ticket = Ticket(self)
        ticket.reserve(pictures=1)
        return ticket


class Ticket:
    """What one request holds of the bounds; a context manager that gives it back."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self._pictures = 0
        self._pixels = 0

    def reserve(self, *, pictures: int = 0, pixels: int = 0) -> None:
        """Hold more, or raise QueueFull. A request that has the worker to itself is never refused."""
        door = self._admission
        alone = door.pictures == self._pictures
        if not alone and (door.pictures + pictures > door.max_pictures or door.pixels + pixels > door.max_pixels):
            raise QueueFull(
                "The queue is full; try again after the seconds in Retry-After.",
                pictures=door.pictures,
                max_pictures=door.max_pictures,
                pixels=door.pixels,
                max_pixels=door.max_pixels,
            )
        door.pictures += pictures
        door.pixels += pixels
        self._pictures += pictures
        self._pixels += pixels

    def __enter__(self) -> "Ticket":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._admission.pictures -= self._pictures
        self._admission.pixels -= self._pixels
        self._pictures = self._pixels = 0
