"""Many pictures: read ahead, several pieces under way, results in order as they come; Ctrl-C keeps what is done."""

import asyncio
import os
import signal
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, Protocol, TypeVar

from app.cli.ends import Interrupted
from app.cli.inputs import Input
from app.cli.results import Result
from app.errors import ServiceError

PIECE_BYTES: Final = 8 * 1024 * 1024  # from which on a piece has no more pictures
T = TypeVar("T")


class Picture(NamedTuple):
    """A picture to be read."""

    name: str
    data: bytes  # encoded


class Answers(Protocol):
    """What answers to pictures, here or elsewhere."""

    async def __call__(self, pictures: Sequence[Picture]) -> Sequence[dict[str, Any]]:
        """An answer or an `ErrorBody` for each; raises for what must end all of it."""


@dataclass(frozen=True)
class Pace:
    """How much is under way."""

    piece: int  # pictures that are read, answered and written together
    pieces: int  # that are under way at a time
    hand_over: bool = True
    """Whether files are read in a thread of their own. Where a picture takes as little as a digit's does, the thread
    and the event loop take the interpreter from each other, and all takes half as long again."""


class _Loaded(NamedTuple):
    name: str
    content: bytes | ServiceError


class Source(Protocol):
    """Where pictures come from."""

    waits: bool
    """Whether reading may wait for what somebody has yet to write."""

    def __iter__(self) -> Iterator[Input]:
        """The pictures, each to be loaded before the next is asked for."""


async def results(inputs: Source, answers: Answers, pace: Pace) -> AsyncIterator[list[Result]]:
    """The results of all inputs, in order, piece by piece."""
    source = iter(inputs)
    under_way: deque[asyncio.Task[list[Result]]] = deque()
    disk = ThreadPoolExecutor(1, thread_name_prefix="disk")

    async def next_piece() -> list[_Loaded]:
        if pace.hand_over or inputs.waits:
            return await asyncio.get_running_loop().run_in_executor(disk, _piece, source, pace.piece)
        await asyncio.sleep(0)  # signals have their turn
        return _piece(source, pace.piece)

    try:
        while piece := await next_piece():
            under_way.append(asyncio.create_task(_answered(piece, answers)))
            if len(under_way) >= pace.pieces:
                yield await under_way.popleft()
        while under_way:
            yield await under_way.popleft()
    finally:
        disk.shutdown(wait=False)  # standard input may never end
        for task in under_way:
            task.cancel()
        await asyncio.gather(*under_way, return_exceptions=True)


def _piece(source: Iterator[Input], most: int) -> list[_Loaded]:
    """The next pictures, from the disk."""
    piece: list[_Loaded] = []
    size = 0
    while len(piece) < most and size < PIECE_BYTES and (one := next(source, None)) is not None:
        piece.append(loaded := _loaded(one))
        size += 0 if isinstance(loaded.content, ServiceError) else len(loaded.content)
    return piece


def _loaded(one: Input) -> _Loaded:
    """A picture's bytes, or why there are none; to be asked for before the next input is."""
    try:
        return _Loaded(one.name, one.load())
    except ServiceError as error:
        return _Loaded(one.name, error)


async def _answered(piece: Sequence[_Loaded], answers: Answers) -> list[Result]:
    whole = [Picture(one.name, one.content) for one in piece if isinstance(one.content, bytes)]
    found = iter(await answers(whole) if whole else ())
    return [
        Result(one.name, one.content.body() if isinstance(one.content, ServiceError) else next(found)) for one in piece
    ]


def until_stopped(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Do the work; SIGINT and SIGTERM cancel it and raise Interrupted, a second one ends the process.

    The event loop has a thread of its own: signals are the main thread's, which may itself be in an event loop.
    """
    task: asyncio.Task[Any] | None = None
    came = 0

    async def cancellable() -> T:
        nonlocal task
        task = asyncio.current_task()
        return await work()

    def stop(sig: int, _: object) -> None:
        nonlocal came
        if came or task is None:
            os._exit(128 + sig)
        came = sig
        task.get_loop().call_soon_threadsafe(task.cancel)

    with signals(stop), ThreadPoolExecutor(1, thread_name_prefix="work") as thread:
        try:
            return thread.submit(asyncio.run, cancellable()).result()
        except asyncio.CancelledError:
            if not came:
                raise
            raise Interrupted(128 + came) from None


@contextmanager
def signals(handler: Callable[[int, Any], None]) -> Iterator[None]:
    """Who is told of signals, where they can be had: in the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = {sig: signal.signal(sig, handler) for sig in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        for sig, usual in before.items():
            signal.signal(sig, usual)
