"""One process that serves: uvicorn with our protocol, our drain and our exit codes.

Start-up:  1. load, verify and warm the models   2. listen   3. say where
Shutdown:  1. /health/ready is 503, requests are served for `drain_delay`
           2. nothing new is taken, what was accepted is answered within `drain_timeout`
           3. what is left gets 503   4. exit 0
"""

import asyncio
import signal
import socket
from collections.abc import Callable
from math import ceil
from types import FrameType

import structlog
import uvicorn
from fastapi import FastAPI

from app.protocol import Protocol
from app.serving.lifecycle import Lifecycle
from app.settings import Settings

log = structlog.get_logger("lenet5")

LAST_ANSWERS = 2.0
"""Seconds after `drain_timeout` in which the 503s to what was left are written."""


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
        """Say so once the socket is served."""
        await super().startup(sockets)
        if self.started:
            self._loop = asyncio.get_running_loop()
            self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to drain; a second interrupt from the keyboard leaves at once."""
        if self._lifecycle.draining or not self.started:
            if sig == signal.SIGINT or not self.started:
                self.should_exit = self.force_exit = True
            return
        self._lifecycle.drain()
        log.info("draining", signal=signal.Signals(sig).name, in_flight=len(self._lifecycle.in_flight))
        self._loop.call_soon_threadsafe(self._loop.call_later, self._settings.drain_delay, self._stop)

    def _stop(self) -> None:
        self.should_exit = True
        self._loop.call_later(self._settings.drain_timeout, self._lifecycle.abort)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, answer what was accepted."""
        self._lifecycle.refuse()
        await super().shutdown(sockets)


def listen(host: str, port: int, *, backlog: int = 2048) -> socket.socket:
    """A listening socket, so that its port is known before anything is served. Raises OSError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # IPPROTO_TCP, since the event loop sets TCP_NODELAY only on sockets that name it; else an answer takes 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(backlog)
        listener.setblocking(False)
    except BaseException:
        listener.close()
        raise
    return listener


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
        timeout_keep_alive=ceil(settings.keep_alive_timeout),
        timeout_graceful_shutdown=ceil(settings.drain_timeout + LAST_ANSWERS),
    )
    Server(config, app.state.service.lifecycle, settings=settings, listening=listening).run([listener])
