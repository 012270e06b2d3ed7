"""An event loop without a world: time passes only when nothing is left to do, and then at once."""

import asyncio
import selectors
from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

TURNS = 10_000
"""In which time must pass: who turns longer turns for ever."""


class Hung(Exception):
    """Nothing is left that could ever happen, or it turns in a circle: what was to be run comes to no end."""


class _Nothing(selectors.SelectSelector):
    """Sees no sockets; its waiting moves the clock."""

    now = 0.0
    turns = 0  # since time passed

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self.turns = 0 if timeout else self.turns + 1
        if timeout is None or self.turns > TURNS:
            self.turns = 0
            raise Hung
        self.now += timeout
        return []


class Clockwork(asyncio.SelectorEventLoop):
    """Deterministic: callbacks run in the order in which they are due."""

    def __init__(self) -> None:
        self._nothing = _Nothing()
        super().__init__(self._nothing)

    def time(self) -> float:
        """Seconds since it was made."""
        return self._nothing.now

    def _write_to_self(self) -> None:
        """Wakes the selector of a real loop; here that would fill a pipe that nobody reads."""


class Workbench(Executor):
    """An executor whose calls take as long as `seconds` says, on the loop's clock, and run on the loop itself."""

    def __init__(self, loop: asyncio.AbstractEventLoop, seconds: Callable[[], float]) -> None:
        self._loop = loop
        self._seconds = seconds

    def submit(self, function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """The call, to be run when its time is over."""
        future: Future[Any] = Future()
        self._loop.call_later(self._seconds(), self._run, future, function, args, kwargs)
        return future

    @staticmethod
    def _run(future: Future[Any], function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
        if not future.set_running_or_notify_cancel():
            return
        try:
            result = function(*args, **kwargs)
        except Exception as error:  # noqa: BLE001 - it is the caller's
            future.set_exception(error)
        else:
            future.set_result(result)
