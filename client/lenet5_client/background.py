"""An event loop in a thread, for callers that have none."""

import asyncio
import os
import threading
import weakref
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from queue import SimpleQueue
from typing import Any, NamedTuple, TypeVar

from lenet5_client.exchange import Exchange

Result = TypeVar("Result")


class Errands:
    """What a coroutine has done in the thread that waits for it: iterables, files and pictures are that thread's."""

    def __init__(self) -> None:
        self._queue: SimpleQueue[Callable[[], object] | None] = SimpleQueue()

    def leave(self, work: Callable[[], object]) -> None:
        """Have it done, and do not wait for it. What it raises is raised there."""
        self._queue.put(work)

    async def result(self, work: Callable[[], Result]) -> Result:
        """Have it done and wait for it. What it raises is raised there, and this never returns."""
        done: Future[Result] = Future()

        def run() -> None:
            if done.set_running_or_notify_cancel():
                done.set_result(work())

        self._queue.put(run)
        return await asyncio.wrap_future(done)

    def end(self) -> None:
        """Nothing more will be left."""
        self._queue.put(None)

    def run(self) -> None:
        """Do what is left until the end."""
        while (work := self._queue.get()) is not None:
            work()


class _Running(NamedTuple):
    """An event loop in a thread, with an exchange in it, that ends with `stop`."""

    process: int
    thread: threading.Thread
    loop: asyncio.AbstractEventLoop
    exchange: Exchange
    stop: asyncio.Event
    under_way: set[Coroutine[Any, Any, Any]]  # what threads wait for


class Background:
    """Runs coroutines of an exchange for any thread of this process, and for its forks: each has a loop of its own."""

    def __init__(self, make: Callable[[], Exchange]) -> None:
        """Raises what `make` raises."""
        self._make = make
        self._lock = threading.Lock()
        self._process = os.getpid()
        self._running: _Running | None = None
        self._closed = False
        with self._lock:
            self._started()

    def run(self, start: Callable[[Exchange, Errands], Coroutine[Any, Any, Result]]) -> Result:
        """The result of a coroutine; raises RuntimeError where this is closed before or meanwhile."""
        errands = Errands()
        self._forget_parent()
        with self._lock:  # or the loop might end with the coroutine in its queue, and the future never
            running = self._started()
            coroutine = start(running.exchange, errands)
            running.under_way.add(coroutine)
            future = asyncio.run_coroutine_threadsafe(coroutine, running.loop)
        future.add_done_callback(lambda _: errands.end())
        try:
            errands.run()
            return future.result()
        except CancelledError:
            raise RuntimeError("The client was closed.") from None
        finally:
            future.cancel()  # where this thread was interrupted
            running.under_way.discard(coroutine)

    def close(self) -> None:
        """End what is under way, and close the connections."""
        self._forget_parent()
        with self._lock:
            running, self._running, self._closed = self._running, None, True
            if running is not None:
                _stop(running)
        if running is not None:
            running.thread.join()

    def _forget_parent(self) -> None:
        """A fork has none of its parent's threads, and a lock that one of them held stays locked in it."""
        if self._process != os.getpid():
            self._process, self._running, self._lock = os.getpid(), None, threading.Lock()

    def _started(self) -> _Running:
        """Is called with the lock held."""
        if self._closed:
            raise RuntimeError("The client is closed.")
        if self._running is None:
            started: Future[_Running] = Future()
            threading.Thread(
                target=lambda make: asyncio.run(_serve(make, started)),
                args=(self._make,),
                name="lenet5-client",
                daemon=True,
            ).start()
            self._running = started.result()
            unclosed = weakref.finalize(self, _stop, self._running)
            unclosed.atexit = False  # the thread and its sockets end with the process
        return self._running


async def _serve(make: Callable[[], Exchange], started: "Future[_Running]") -> None:
    """Runs until stop is set, and ends what is under way.

    Not with all tasks of the loop at a time, as asyncio.run would: one of anyio's that is cancelled before its first
    step leaves a coroutine that was never awaited.
    """
    try:
        exchange = make()
    except BaseException as error:  # noqa: BLE001 - it is raised where the client was asked for
        started.set_exception(error)
        return
    stop = asyncio.Event()
    running = _Running(os.getpid(), threading.current_thread(), asyncio.get_running_loop(), exchange, stop, set())
    started.set_result(running)
    try:
        await stop.wait()
    finally:
        tasks = [task for task in asyncio.all_tasks() if task.get_coro() in running.under_way]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await exchange.close()


def _stop(running: _Running) -> None:
    if running.process == os.getpid() and not running.loop.is_closed():
        running.loop.call_soon_threadsafe(running.stop.set)
