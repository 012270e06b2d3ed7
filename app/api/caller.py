"""The caller's own terms: how long they wait, and whether they are still there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from typing import Annotated

from fastapi import Header, Request

from app.errors import DeadlineExceeded

TimeoutHeader = Annotated[
    float | None,
    Header(
        alias="X-Request-Timeout",
        gt=0,
        le=86_400,
        allow_inf_nan=False,
        description="Seconds after which the caller no longer waits; the answer is then 504.",
    ),
]


@asynccontextmanager
async def deadline(seconds: float | None) -> AsyncGenerator[None]:
    """Raise DeadlineExceeded in the block once the caller's seconds have passed."""
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineExceeded("The deadline in X-Request-Timeout has passed.", seconds=seconds) from None


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
