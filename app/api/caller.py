"""The caller's own terms: how long they wait, and whether they are still there."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from types import TracebackType
from typing import Annotated, Final, Self

from fastapi import Header, Request
from pydantic import Field, TypeAdapter, ValidationError

from app.api.errors import invalid_parameter
from app.api.service import headers_of
from app.errors import DeadlineExceeded

Seconds = Annotated[float, Field(gt=0, le=86_400, allow_inf_nan=False)]
SECONDS = TypeAdapter(Seconds)
UNWATCHED: Final = 0.02
"""Seconds of a request in which nobody looks whether its caller is still there."""
TimeoutHeader = Annotated[
    Seconds | None,
    Header(
        alias="X-Request-Timeout", description="Seconds after which the caller no longer waits; the answer is then 504."
    ),
]


def current_task() -> asyncio.Task[object]:
    """The task that runs this."""
    task = asyncio.current_task()
    assert task is not None  # noqa: S101 - a coroutine that runs is in a task
    return task


def patience(request: Request) -> float | None:
    """The caller's X-Request-Timeout in seconds; raises InvalidParameter."""
    given = headers_of(request).get(b"x-request-timeout")
    if given is None:
        return None
    try:
        return SECONDS.validate_python(given.decode("latin-1"))
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0], "X-Request-Timeout") from None


def deadline(seconds: float | None) -> AbstractAsyncContextManager[None]:
    """Raise DeadlineExceeded in the block once the caller's seconds, if there are any, have passed."""
    return nullcontext() if seconds is None else _deadline(seconds)


@asynccontextmanager
async def _deadline(seconds: float) -> AsyncGenerator[None]:
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError:
        raise DeadlineExceeded("The caller's deadline has passed.", seconds=seconds) from None


class Due:
    """Raise TimeoutError once it is `when` on the event loop's clock and the block still waits.

    What asyncio.timeout_at does, without its coroutines: every body has a deadline, which takes 1 us so, 4 with them.
    """

    def __init__(self, when: float) -> None:
        self._when = when
        self._expired = False

    def __enter__(self) -> None:
        self._task = current_task()
        self._cancelling = self._task.cancelling()
        self._timer = asyncio.get_running_loop().call_at(self._when, self._expire)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._expired and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _expire(self) -> None:
        self._expired = True
        self._task.cancel()


class WhileConnected:
    """Cancel the block when the caller goes away; a server does not do so by itself. The body must have been read."""

    def __init__(self, request: Request) -> None:
        self._request = request
        self._watcher: asyncio.Task[None] | None = None

    def __enter__(self) -> Self:
        self._handler = current_task()
        # Most answers are there before anybody needs to watch, and a task for each would take 20 us of a request's 130.
        self._timer = asyncio.get_running_loop().call_later(UNWATCHED, self._start)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._timer.cancel()
        if self._watcher is not None:
            self._watcher.cancel()

    def _start(self) -> None:
        self._watcher = asyncio.get_running_loop().create_task(self._watch())

    async def _watch(self) -> None:
        while (await self._request.receive())["type"] != "http.disconnect":
            pass
        self._handler.cancel()
