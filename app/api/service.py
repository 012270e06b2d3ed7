"""What the routes share: one value on the application's state, handed out by dependency."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Final

from fastapi import Depends, Request

from app.errors import NotReady
from app.serving.engine import Engine
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics

HEADERS: Final = "lenet5.headers"
"""Where in its scope a request's headers are by name."""


@dataclass(frozen=True)
class BodyLimits:
    """What a request's body may hold and how slowly it may come."""

    max_bytes: int  # with one picture
    max_batch_bytes: int  # with many
    max_batch_pictures: int
    max_tensor_rows: int
    timeout: float  # seconds without a byte, and before min_rate counts
    min_rate: int  # bytes per second

    def deadline(self, start: float, now: float, received: int) -> float:
        """When the next bytes are due, for a body that began at `start` and of which that much has come by `now`."""
        return min(now + self.timeout, start + self.timeout + received / self.min_rate)


@dataclass(frozen=True)
class Service:
    """The parts of a running service."""

    engine: Engine
    lifecycle: Lifecycle
    metrics: Metrics
    limits: BodyLimits


def service_of(request: Request) -> Service:
    """The service that a request came to."""
    service: Service = request.app.state.service
    return service


def check_ready(lifecycle: Lifecycle) -> None:
    """Raises NotReady, which says what is missing."""
    if missing := lifecycle.missing:
        raise NotReady(f"The service is not ready: {', '.join(missing)}.", missing=missing)


def headers_of(request: Request) -> Mapping[bytes, bytes]:
    """A request's headers by their names in lower case; Starlette's own go through all of them for each name."""
    headers: Mapping[bytes, bytes] = request.scope[HEADERS]
    return headers


async def _service(request: Request) -> Service:  # async, else FastAPI runs it in a thread: 0.2 ms a request
    return service_of(request)


ServiceDep = Annotated[Service, Depends(_service)]
