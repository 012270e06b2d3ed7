"""One process that serves: uvicorn with our protocol, our drain and our exit codes.

Start-up:  1. bind the port   2. load, verify and warm the models   3. listen   4. say where
Shutdown:  1. /health/ready is 503, requests are served for `drain_delay`
           2. who has connected is accepted, then nothing new is taken; that is answered within `drain_timeout`
           3. what is left gets 503   4. exit 0, whatever still runs
Failure:   a model's device computes no more; what is left gets 503, and the process ends with 1, to be replaced
"""

import asyncio
import os
import select
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextvars import Context
from math import ceil
from types import FrameType
from typing import NoReturn

import structlog
import uvicorn
from fastapi import FastAPI

from app.api.service import Service
from app.errors import StartFailed
from app.lenet.registry import default_model_dir
from app.native_output import quiet_natives
from app.protocol import Protocol
from app.reload import Reloading
from app.serving.lifecycle import Lifecycle
from app.settings import Settings

log = structlog.get_logger("lenet5")

LAST_CALL = 1.0
"""Seconds in which whoever has connected by the end of the service is accepted."""
FIRST_BYTES = 0.05
"""Seconds in which the last of them are read."""
LAST_ANSWERS = 2.0
"""Seconds after `drain_timeout` in which the 503s to what was left are written."""
LAST_STEPS = 2.0
"""Seconds after that in which the models are closed."""
SEND_BUFFER = 128 * 1024
"""Bytes of answers that the system is asked to hold for a connection, of which Linux makes twice as many: else it takes
up to 4 MB for one that does not read, and the deadline on reading does not see it."""
FAREWELL = 0.5
"""Seconds in which a process that has failed says so, to whoever asks, before what is left gets 503."""


class Server(uvicorn.Server):
    """uvicorn.Server whose reaction to a signal is the drain above, and whose exit code after it is 0."""

    def __init__(
        self,
        config: uvicorn.Config,
        lifecycle: Lifecycle,
        reloading: Reloading,
        *,
        settings: Settings,
        listening: Callable[[], None],
        leaving: Callable[[int], None],
    ) -> None:
        super().__init__(config)
        self._lifecycle = lifecycle
        self._reloading = reloading
        self._settings = settings
        self._listening = listening
        self._leaving = leaving
        lifecycle.on_failure = self._failed

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Listen, and say so once the socket is served."""
        self._loop = asyncio.get_running_loop()
        try:
            for listener in sockets or ():
                listener.listen(self.config.backlog)
        except OSError as error:  # another process has bound the port too, and listened first
            raise StartFailed(f"cannot listen on {_where(self._settings)}: {error.strerror or error}") from error
        await super().startup(sockets)
        self._reloading.start()
        self._listening()

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Begin to drain; an interrupt from the keyboard during the drain leaves at once."""
        if not self.started or (self._lifecycle.draining and sig == signal.SIGINT):
            leave()
        if not self._lifecycle.draining:
            self._lifecycle.drain()
            self._loop.call_soon_threadsafe(self._drain, sig, context=Context())  # of no request that it interrupts

    def _drain(self, sig: int) -> None:
        in_flight = len(self._lifecycle.in_flight)
        log.info("draining", signal=signal.Signals(sig).name, in_flight=in_flight)
        if sig == signal.SIGINT:
            self._leaving(in_flight)
        self._stop_after(self._settings.drain_delay, self._settings.drain_timeout, code=0)

    def _failed(self) -> None:
        log.critical("backend failed", error=str(self._lifecycle.failure))
        self._stop_after(FAREWELL, FAREWELL, code=1)

    def _stop_after(self, delay: float, timeout: float, *, code: int) -> None:
        """Stop after `delay` seconds, give up on what is left `timeout` seconds later, and end soon, whatever hangs."""
        # A thread of its own: a forward pass that hangs holds up the event loop's end, and the interpreter's after it.
        last = threading.Timer(delay + timeout + LAST_ANSWERS + LAST_STEPS, leave, (code,))
        last.daemon = True
        last.start()
        self._loop.call_later(delay, self._stop, timeout)

    def _stop(self, timeout: float) -> None:
        self.should_exit = True
        self._loop.call_later(timeout, self._lifecycle.abort)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Take nothing new, answer what was accepted."""
        self._reloading.stop()
        await _accept_all(sockets or ())
        self._lifecycle.refuse()
        await super().shutdown(sockets)


async def _accept_all(listeners: Iterable[socket.socket]) -> None:
    """Let the event loop accept whoever has connected, and read what they sent: once the socket is closed, the system
    resets whoever still waits in its queue.
    """
    waiting = select.poll()
    for listener in listeners:
        waiting.register(listener, select.POLLIN)
    until = time.monotonic() + LAST_CALL
    while waiting.poll(0) and time.monotonic() < until:  # noqa: ASYNC110 - no event tells of it
        await asyncio.sleep(0)
    await asyncio.sleep(FIRST_BYTES)


def leave(code: int = 0) -> NoReturn:
    """End the process at once, by default as one that was asked to, whatever its threads still do."""
    os._exit(code)


def bind(settings: Settings) -> socket.socket:
    """A socket with the settings' address, not listening yet: a port that is taken is known before models load.

    Raises StartFailed.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    # IPPROTO_TCP, since the event loop sets TCP_NODELAY only on sockets that name it; else an answer takes 40 ms
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)  # its connections inherit it
        listener.bind((settings.host, settings.port))
        listener.setblocking(False)
    except (OSError, UnicodeError) as error:  # UnicodeError: a name that no host can have
        listener.close()
        reason = getattr(error, "strerror", None) or error
        raise StartFailed(f"cannot listen on {_where(settings)}: {reason}") from error
    return listener


def _where(settings: Settings) -> str:
    return f"{settings.host}:{settings.port}"


def serve(
    app: FastAPI,
    listener: socket.socket,
    settings: Settings,
    *,
    listening: Callable[[], None],
    leaving: Callable[[int], None] = lambda _: None,
    reloaded: Callable[[], None] = lambda: None,
) -> None:
    """Serve on the socket until a signal has drained the process.

    `listening` is called once it answers, `leaving` at an interrupt from the keyboard, with how many requests are
    under way, and `reloaded` each time the models may have changed. Raises BackendFailed when nothing can be answered
    any more.
    """
    service: Service = app.state.service
    folder = settings.model_dir or default_model_dir()
    reloading = Reloading(service.engine.models, folder, poll=settings.model_poll, reloaded=reloaded)
    protocol = type(
        "LimitedProtocol",
        (Protocol,),
        {
            "header_timeout": settings.header_timeout,
            "max_header_bytes": settings.max_header_bytes,
            "answer_timeout": settings.answer_timeout,
            "refused": staticmethod(service.metrics.refused),
        },
    )
    config = uvicorn.Config(
        app,
        http=protocol,
        ws="none",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.forwarded_allow_ips),
        forwarded_allow_ips=settings.forwarded_allow_ips,
        reset_contextvars=True,  # else a pipelined request would log the trace id of the one before it
        timeout_keep_alive=ceil(settings.keep_alive_timeout),
        timeout_graceful_shutdown=ceil(settings.drain_timeout + LAST_ANSWERS),
    )
    server = Server(config, service.lifecycle, reloading, settings=settings, listening=listening, leaving=leaving)
    with quiet_natives():
        server.run([listener])
    if service.lifecycle.failure is not None:
        raise service.lifecycle.failure
