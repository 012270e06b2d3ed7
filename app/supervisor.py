"""Several processes that serve one socket: started together, replaced when one dies, drained together.

    STARTING    until all serve; a worker that cannot start ends everything
    SERVING     a worker that dies is replaced by one that serves the same models; what cannot start is tried again;
                SIGHUP, or a change of the model folder if it is watched, has all of them look for new models
    DRAINING    from the first signal on: nothing is started, and what is left after the drain is killed

Each worker is a whole service of its own. It tells over a pipe what it serves, each time that may have changed, or why
it can't; and when the pipe breaks, because the supervisor is gone, it drains by itself. Its event loop beats in memory
that both share; one whose heart stands still is killed, so that it is replaced.
"""

import asyncio
import contextlib
import os
import signal
import socket
import time
from collections.abc import Callable, Iterable, Iterator
from ctypes import c_ulonglong
from dataclasses import dataclass
from enum import Enum, auto
from math import inf
from multiprocessing import get_context, resource_tracker
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess

import structlog

from app.errors import StartFailed
from app.lenet.folder_watch import FolderWatch
from app.lenet.kept import kept
from app.lenet.registry import Registry, default_model_dir
from app.logs import configure, why
from app.metrics_folder import forget_gauges, metrics_folder
from app.settings import Settings

log = structlog.get_logger("lenet5.supervisor")

LAST_WORDS = 5.0
"""Seconds that a worker has, past its own drain, before it is killed."""
BEAT = 0.1
"""Seconds between beats of a worker's event loop, and between the supervisor's looks at it."""
RETRY_DELAY, MAX_RETRY_DELAY = 1.0, 60.0
"""Seconds before a replacement that could not start is tried again; they double each time."""


class _Phase(Enum):
    STARTING = auto()
    SERVING = auto()
    DRAINING = auto()


@dataclass(eq=False)
class _Worker:
    process: BaseProcess
    pipe: Connection
    heart: c_ulonglong  # its event loop's beats so far
    beats: int = 0  # at the last look
    still: int = 0  # looks since then at which there were no more
    serving: bool = False
    last_words: str | None = None  # why it cannot start


class Supervisor:
    """Keeps `settings.workers` workers on one bound socket."""

    def __init__(self, settings: Settings, listener: socket.socket) -> None:
        self._settings = settings.model_copy(update={"model_poll": 0.0})  # a worker's; the supervisor looks for all
        self._listener = listener
        self._poll = settings.model_poll or inf
        self._watch = FolderWatch(settings.model_dir or default_model_dir())
        self._look_at = time.monotonic() + self._poll
        self._spawn = get_context("spawn")
        self._workers: list[_Worker] = []
        self._phase = _Phase.STARTING
        self._leaving: Callable[[], None] = lambda: None  # is told of an interrupt from the keyboard
        self._models: Registry | None = None  # what the workers serve, as the last of them said
        self._retry_delay = RETRY_DELAY  # seconds from the next start that fails to the one after it
        self._start_at = 0.0  # time.monotonic() before which no worker is started
        self._beat_at = 0.0  # time.monotonic() of the next look at the workers' hearts
        self._kill_at = inf  # time.monotonic() when draining workers are killed

    def run(self, *, listening: Callable[[Registry], None], leaving: Callable[[], None]) -> None:
        """Serve until a signal has drained every worker.

        `listening` is called once all answer, with what they serve, `leaving` at an interrupt from the keyboard.

        Raises StartFailed when a worker cannot start.
        """
        self._leaving = leaving
        with _signals() as signals, metrics_folder() as self._metrics:
            try:
                while self._workers or self._phase is not _Phase.DRAINING:
                    self._start_missing()
                    self._react(signals)
                    if self._phase is _Phase.STARTING and all(worker.serving for worker in self._workers):
                        self._phase = _Phase.SERVING
                        assert self._models is not None  # noqa: S101 - a worker that serves has said what
                        listening(self._models)
            finally:
                for worker in self._workers:
                    worker.process.kill()
                    worker.process.join()

    @property
    def _missing(self) -> int:
        return 0 if self._phase is _Phase.DRAINING else self._settings.workers - len(self._workers)

    def _start_missing(self) -> None:
        if time.monotonic() >= self._start_at:
            for _ in range(self._missing):
                self._start()

    def _start(self) -> None:
        resource_tracker.ensure_running()  # else the spawn would do it, which unblocks SIGINT
        ours, theirs = self._spawn.Pipe()
        heart = self._spawn.RawValue(c_ulonglong)
        process = self._spawn.Process(
            target=_work, args=(self._settings, self._listener, theirs, heart, self._models), name="lenet5-worker"
        )
        # An interrupt from the keyboard goes to every process of the terminal. It is the supervisor's, which passes it
        # on; a worker inherits the mask, and so isn't torn from its imports either. A hangup waits till it serves.
        mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGHUP})
        try:
            process.start()
        except OSError as error:
            self._not_started(f"no process for a worker: {error.strerror}")
        else:
            self._workers.append(_Worker(process, ours, heart))
        finally:
            signal.pthread_sigmask(signal.SIG_SETMASK, mask)
            theirs.close()

    def _react(self, signals: socket.socket) -> None:
        """Wait for whatever happens next, and take part in it."""
        pipes = {worker.pipe: worker for worker in self._workers}
        ends = {worker.process.sentinel: worker for worker in self._workers}
        wake_at = min(self._kill_at, self._look_at, self._beat_at, self._start_at if self._missing else inf)
        patience = None if wake_at == inf else max(0.0, wake_at - time.monotonic())
        happened = wait([signals, *pipes, *ends], patience)
        for pipe in pipes.keys() & set(happened):
            self._hear(pipes[pipe])
        for end in ends.keys() & set(happened):
            self._bury(ends[end])
        if signals in happened:
            for sig in signals.recv(64):
                self._signalled(sig)
        if time.monotonic() >= self._look_at:
            self._look_at = time.monotonic() + self._poll
            if self._phase is _Phase.SERVING and self._watch.changed():
                self._reload(self._workers)
        if time.monotonic() >= self._beat_at:
            self._beat_at = time.monotonic() + BEAT if self._settings.heartbeat_timeout else inf
            if self._phase is _Phase.SERVING:
                self._feel_hearts()
        if time.monotonic() >= self._kill_at:
            self._kill_at = inf
            for worker in self._workers:
                worker.process.kill()

    def _hear(self, worker: _Worker) -> None:
        """What a worker serves from now on, or why it cannot."""
        with contextlib.suppress(EOFError, OSError):  # it died without a word; its end says so too
            said: Registry | str = worker.pipe.recv()
            if isinstance(said, str):
                worker.last_words = said
            elif worker.serving:
                self._serve(said)
            else:
                worker.serving, self._retry_delay = True, RETRY_DELAY
                log.info("worker serves", pid=worker.process.pid)
                if self._models is None:
                    self._serve(said)
                elif self._models.served != said.served:  # the model folder has changed while it started
                    self._reload([worker])

    def _feel_hearts(self) -> None:
        """Kill workers whose event loops stand still. Looks are counted, not time: we may have stood still too."""
        for worker in self._workers:
            beats = worker.heart.value
            worker.still = worker.still + 1 if worker.serving and beats == worker.beats else 0
            worker.beats = beats
            if worker.still * BEAT > self._settings.heartbeat_timeout:
                worker.last_words = f"its event loop stood still for {self._settings.heartbeat_timeout} s"
                worker.process.kill()

    def _serve(self, models: Registry) -> None:
        """What a replacement is to serve too: out of a copy, as the model folder may change at any time."""
        self._models = models
        try:
            self._models = kept(models, self._metrics / "models")
        except OSError as error:
            log.warning("models not copied", error=str(error))

    def _reload(self, workers: Iterable[_Worker]) -> None:
        """Have them look for new models."""
        for worker in workers:
            if (pid := worker.process.pid) is not None and worker.process.is_alive():
                os.kill(pid, signal.SIGHUP)

    def _bury(self, worker: _Worker) -> None:
        """A worker is gone; unless all are going, its place is free."""
        worker.process.join()
        worker.pipe.close()
        self._workers.remove(worker)
        pid, code = worker.process.pid, worker.process.exitcode
        assert pid is not None  # noqa: S101 - it was started
        forget_gauges(self._metrics, pid)
        if self._phase is _Phase.SERVING and worker.serving:
            log.error("worker died", pid=pid, exit_code=code, reason=worker.last_words)
        elif self._phase is not _Phase.DRAINING:
            self._not_started(worker.last_words or f"a worker died while it started, exit code {code}")

    def _not_started(self, reason: str) -> None:
        """At first that is the end; later the others serve on, and another start is tried after a while."""
        if self._phase is _Phase.STARTING:
            raise StartFailed(reason)
        log.error("worker could not start", reason=reason, retry_in=self._retry_delay)
        self._start_at = time.monotonic() + self._retry_delay
        self._retry_delay = min(2 * self._retry_delay, MAX_RETRY_DELAY)

    def _signalled(self, sig: int) -> None:
        """A hangup is passed on. The first other signal drains, and is too; an interrupt from the keyboard after it
        leaves at once.
        """
        if sig == signal.SIGHUP:
            if self._phase is not _Phase.DRAINING:
                self._reload(self._workers)
        elif self._phase is not _Phase.DRAINING:
            if self._phase is _Phase.SERVING and sig == signal.SIGINT:
                self._leaving()
            self._phase = _Phase.DRAINING
            self._kill_at = time.monotonic() + self._settings.drain_delay + self._settings.drain_timeout + LAST_WORDS
            log.info("draining", signal=signal.Signals(sig).name)
            self._listener.close()  # the workers have their own; once they close them there is no connection
            for worker in self._workers:
                worker.process.terminate()
        elif sig == signal.SIGINT:
            self._kill_at = time.monotonic()


@contextlib.contextmanager
def _signals() -> Iterator[socket.socket]:
    """A socket on which each signal for us comes in as a byte, so that they can be waited for."""
    here, there = socket.socketpair()
    with here, there:
        there.setblocking(False)
        signal.set_wakeup_fd(there.fileno())
        for sig in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(sig, lambda *_: None)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGHUP})
        try:
            yield here
        finally:
            signal.set_wakeup_fd(-1)


def _work(
    settings: Settings, listener: socket.socket, pipe: Connection, heart: c_ulonglong, models: Registry | None
) -> None:
    """A worker process, from its start to its end."""
    configure(level=settings.log_level, form=settings.log_format)
    try:
        # Imported here: what fails is told over the pipe, and the metrics choose their files when they are imported.
        from app.main import create_app  # noqa: PLC0415
        from app.server import serve  # noqa: PLC0415

        app = create_app(settings, serve=models)

        def listening() -> None:
            loop = asyncio.get_running_loop()

            def orphaned() -> None:
                loop.remove_reader(pipe.fileno())
                os.kill(os.getpid(), signal.SIGTERM)

            def beat() -> None:
                heart.value += 1
                loop.call_later(BEAT, beat)

            loop.add_reader(pipe.fileno(), orphaned)
            beat()
            tell_models()

        def tell_models() -> None:
            _tell(pipe, app.state.service.engine.registry)

        serve(app, listener, settings, listening=listening, reloaded=tell_models)
    except Exception as error:
        _tell(pipe, why(error))
        raise SystemExit(1) from error


def _tell(pipe: Connection, what: Registry | str) -> None:
    with contextlib.suppress(OSError):  # the supervisor is gone; a worker that serves will notice
        pipe.send(what)
