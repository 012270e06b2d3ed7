"""One process that serves: uvicorn with our protocol, our drain and our exit codes.

Start-up:  1. bind the port   2. load, verify and warm the models   3. listen   4. say where
Shutdown:  1. /health/ready is 503, requests are served for `drain_delay`
           2. nothing new is taken, what was accepted is answered within `drain_timeout`
           3. what is left gets 503   4. exit 0, whatever still runs
"""

import asyncio
import os
import signal
import socket
import threading
from collections.abc import Callable
from math import ceil
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from app.errors import StartFailed
from app.protocol import Protocol
from app.serving.lifecycle import Lifecycle
from app.settings import Settings

log = structlog.get_logger("lenet5")

LAST_ANSWERS = 2.0
"""Seconds after `drain_timeout` in which the 503s to what was left are written."""
LAST_STEPS = 2.0
"""Seconds after that in which the models are closed."""


class Server(uvicorn.Server):
    """uvicorn.Server whose reaction to a signal is the drain above, and whose exit code after it is 0."""

    def __init__(
        self, config: uvicorn.Config, lifecycle: Lifecycle, *, settings: Settings, listening: Callable[[], None]
    ) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._settings = settings
        self._listening = listening

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so once the socket is served."""
        self._loop = asyncio.get_running_loop()
        try:
            for listener in sockets or ():
                listener.listen(self.config.backlog)
        except OSError as error:  # another process has bound the port too, and listened first
            raise StartFailed(f"cannot listen on {_where(self._settings)}: {error.strerror or error}") from error
        await super().startup(sockets)
        self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to drain; an interrupt from the keyboard during the drain leaves at once."""
        if not self.started or (self._lifecycle.draining and sig == signal.SIGINT):
            leave()
        if not self._lifecycle.draining:
            self._lifecycle.drain()
            self._loop.call_soon_threadsafe(self._drain, sig)

    def _drain(self, sig: int) -> None:
        log.info("draining", signal=signal.Signals(sig).name, in_flight=len(self._lifecycle.in_flight))
        patience = self._settings.drain_delay + self._settings.drain_timeout + LAST_ANSWERS + LAST_STEPS
        # A thread of its own: a forward pass that hangs holds up the event loop's end, and the interpreter's after it.
        last = threading.Timer(patience, leave)
        last.daemon = True
        last.start()
        self._loop.call_later(self._settings.drain_delay, self._stop)

    def _stop(self) -> None:
        self.should_exit = True
        self._loop.call_later(self._settings.drain_timeout, self._lifecycle.abort)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, answer what was accepted."""
        self._lifecycle.refuse()
        await super().shutdown(sockets)


def leave() -> NoReturn:
    """End the process at once, as was asked for, whatever its threads still do."""
    os._exit(0)


def bind(settings: Settings) -> socket.socket:
    """A socket with the settings' address, not listening yet: a port that is taken is known before models load.

    Raises StartFailed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # IPPROTO_TCP, since the event loop sets TCP_NODELAY only on sockets that name it; else an answer takes 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((settings.host, settings.port))
        listener.setblocking(False)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise StartFailed(f"cannot listen on {_where(settings)}: {reason}") from error
    return listener


def _where(settings: Settings) -> str:
    return f"{settings.host}:{settings.port}"


def serve(app: FastAPI, listener: socket.socket, settings: Settings, *, listening: Callable[[], None]) -> None:
    """Serve on the socket until a signal has drained the process; `listening` is called once it answers."""
    protocol = type(
        "LimitedProtocol",
        (Protocol,),
        {"header_timeout": settings.header_timeout, "max_header_bytes": settings.max_header_bytes},
    )
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        reset_contextvars=True,  # else a pipelined request would log the trace id of the one before it
        timeout_keep_alive=ceil(settings.keep_alive_timeout),
        timeout_graceful_shutdown=ceil(settings.drain_timeout + LAST_ANSWERS),
    )
    Server(config, app.state.service.lifecycle, settings=settings, listening=listening).run([listener])
