"""The caller's own terms: how long they wait, and whether they are still there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Header, Request
from pydantic import Field, TypeAdapter, ValidationError

from app.api.errors import invalid_parameter
from app.errors import DeadlineExceeded

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
SECONDS = TypeAdapter(Seconds)
TimeoutHeader = Annotated[
    Seconds | None,
    Header(
        alias="X-Request-Timeout", description="Seconds after which the caller no longer waits; the answer is then 504."
    ),
]


def patience(request: Request) -> float | None:
    """The caller's X-Request-Timeout in seconds; raises InvalidParameter."""
    given = request.headers.get("x-request-timeout")
    if given is None:
        return None
    try:
        return SECONDS.validate_python(given)
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0], "X-Request-Timeout") from None


@asynccontextmanager
async def deadline(seconds: float | None) -> AsyncGenerator[None]:
    """Raise DeadlineExceeded in the block once the caller's seconds have passed."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineExceeded("The caller's deadline has passed.", seconds=seconds) from None


@asynccontextmanager
async def while_connected(request: Request) -> AsyncGenerator[None]:
    """Cancel the block when the caller goes away; a server does not do so by itself. The body must have been read."""
    handler = asyncio.current_task()
    assert handler is not None  # noqa: S101 - a coroutine that runs is in a task

    async def watch() -> None:
        while (await request.receive())["type"] != "http.disconnect":
            pass
        handler.cancel()

    watcher = asyncio.create_task(watch())
    try:
        yield
    finally:
        watcher.cancel()
