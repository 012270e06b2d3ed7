"""Several processes that serve one socket: started together, replaced when one dies, drained together.

Each worker is a whole service of its own. It tells over a pipe when it serves, or why it can't; and when the pipe
breaks, because the supervisor is gone, it drains by itself.
"""

import asyncio
import contextlib
import os
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from types import FrameType

import structlog

from app.errors import ServiceError
from app.settings import Settings

log = structlog.get_logger("lenet5.supervisor")

METRICS_DIR = "PROMETHEUS_MULTIPROC_DIR"
LAST_WORDS = 5.0
"""Seconds that a worker has, past its own drain, before it is killed."""
RESPAWN_DELAY = 1.0
"""Seconds before a worker that never came to serve is tried again."""


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    serving: bool = False


class StartFailed(ServiceError):
    """A worker could not start; the message is its own."""


class Supervisor:
    """Keeps `settings.workers` workers on one listening socket."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings
        self._listener = listener
        self._spawn = get_context("spawn")
        self._workers: list[_Worker] = []
        self._kill_at: float | None = None  # time.monotonic() when draining workers are killed
        self._interrupts = 0

    def run(self, *, listening: Callable[[], None]) -> None:
        """Serve until a signal has drained every worker; `listening` is called once all answer.

        Raises StartFailed when a worker cannot start.
        """
        metrics = tempfile.mkdtemp(prefix="lenet5-metrics-")
        os.environ[METRICS_DIR] = metrics
        for handled in (signal.SIGTERM, signal.SIGINT):
            signal.signal(handled, self._drain)
        try:
            for _ in range(self._settings.workers):
                self._start()
            self._until(lambda: all(worker.serving for worker in self._workers))
            if self._kill_at is None:
                listening()
            self._until(lambda: not self._workers)
        finally:
            for worker in self._workers:
                worker.process.kill()
                worker.process.join()
            shutil.rmtree(metrics, ignore_errors=True)

    def _start(self) -> None:
        ours, theirs = self._spawn.Pipe()
        process = self._spawn.Process(target=_work, args=(self._settings, self._listener, theirs), name="lenet5-worker")
        process.start()
        theirs.close()
        self._workers.append(_Worker(process, ours))

    def _until(self, done: Callable[[], bool]) -> None:
        """Take part in what happens to the workers until `done`."""
        while not done():
            timeout = None if self._kill_at is None else max(0.0, self._kill_at - time.monotonic())
            waiting = {worker.pipe: worker for worker in self._workers if not worker.serving}
            gone = {worker.process.sentinel: worker for worker in self._workers}
            happened = wait([*waiting, *gone], timeout if timeout is None or timeout > 0 else 0.1)
            for what in happened:
                if isinstance(what, Connection) and what in waiting:
                    self._hear(waiting[what])
            for what in happened:
                if isinstance(what, int):
                    self._bury(gone[what])
            if self._kill_at is not None and time.monotonic() >= self._kill_at:
                for worker in self._workers:
                    worker.process.kill()

    def _hear(self, worker: _Worker) -> None:
        """A worker serves, or says why it cannot."""
        with contextlib.suppress(EOFError):  # it died without a word; its sentinel says so too
            message = worker.pipe.recv()
            if message is not None:
                raise StartFailed(message)
            worker.serving = True

    def _bury(self, worker: _Worker) -> None:
        """A worker is gone: replace it, unless all are going."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        for live in Path(os.environ[METRICS_DIR]).glob(f"gauge_live*_{worker.process.pid}.db"):
            live.unlink()
        if self._kill_at is not None:
            return
        log.error("worker died", pid=worker.process.pid, exit_code=worker.process.exitcode)
        if not worker.serving:
            time.sleep(RESPAWN_DELAY)
        self._start()

    def _drain(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - a signal handler's signature
        """Pass the signal on, once; a second interrupt from the keyboard leaves at once."""
        self._interrupts += sig == signal.SIGINT
        if self._kill_at is None:
            self._kill_at = time.monotonic() + self._settings.drain_delay + self._settings.drain_timeout + LAST_WORDS
            for worker in self._workers:
                worker.process.terminate()
        elif self._interrupts > 1:
            self._kill_at = time.monotonic()


def _work(settings: Settings, listener: socket.socket, pipe: Connection) -> None:
    """A worker process, from its start to its end."""
    os.setsid()  # an interrupt from the keyboard is the supervisor's, which passes it on
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    # Imported here: the metrics choose their files when they are imported, after METRICS_DIR is set.
    from app.main import create_app  # noqa: PLC0415
    from app.server import serve  # noqa: PLC0415

    try:
        app = create_app(settings)
    except ServiceError as error:
        pipe.send(error.message)
        return

    def listening() -> None:
        loop = asyncio.get_running_loop()

        def orphaned() -> None:
            loop.remove_reader(pipe.fileno())
            os.kill(os.getpid(), signal.SIGTERM)

        loop.add_reader(pipe.fileno(), orphaned)
        pipe.send(None)

    serve(app, listener, settings, listening=listening)
