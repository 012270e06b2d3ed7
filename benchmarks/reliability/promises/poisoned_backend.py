"""Promise 11: a device that fails for good is admitted: not ready, all are told, the process ends, another comes."""

import contextlib
import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import ROOT, free_port

CALLERS = 32
PICTURE, DIGIT = (ROOT / "examples" / "7.png").read_bytes(), 7
PATIENCE = 15.0
"""Seconds after which what has not happened will not."""
FAILED = {"backend_failed", "draining"}
"""What a caller of a process that ends is told, with a 503."""

Command = Callable[[int, int], list[str]]
"""Port and number of workers to a command."""


def _ours(port: int, workers: int) -> list[str]:
    options = ["serve", "--device", "cpu", "--port", str(port), "--workers", str(workers)]
    return [sys.executable, "-m", "benchmarks.reliability.poisoned", *options]


def _textbook(port: int, workers: int) -> list[str]:  # noqa: ARG001 - it has one process
    return [sys.executable, "-m", "benchmarks.reliability.controls.poisoned_textbook", "--port", str(port)]


class _Case:
    """One service, poisoned under load; one process of it, or of its two workers, is to end and to come back."""

    def __init__(self, command: Command, workers: int, poison: Path) -> None:
        self._port, self._workers, self._poison = free_port(), workers, poison
        self._command = command(self._port, workers)
        self._over = threading.Event()
        self.faults: list[str] = []

    def run(self) -> dict[str, float]:
        """Seconds from the poisoning to what is promised."""
        with self._started() as process:
            before = self._processes(process)
            with self._callers():
                time.sleep(0.5)
                self._poison.touch()
                start = self._until(lambda: not self._poison.exists(), time.monotonic(), 2.0)[1]
                unready = self._until(lambda: self._status("/health/ready") == 503, start, PATIENCE)[0]
                ended = self._until(lambda: not before <= self._processes(process), start, PATIENCE)[0]
            if process.poll() == 0:
                self.faults.append("it ended with exit code 0")
            elif process.poll() is None:  # a supervisor, which replaces its worker
                self._until(lambda: len(self._processes(process)) == len(before) and self._right(), start, PATIENCE)
            else:  # as `restart: unless-stopped` does
                with self._started():
                    pass
            back = time.monotonic() - start
        return {"not ready": unready, "ended": ended, "back": back}

    @contextmanager
    def _started(self) -> Iterator[subprocess.Popen[bytes]]:
        """The service, answering; ended with the block unless it has ended by then."""
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}", "POISON": str(self._poison)}
        with subprocess.Popen(
            self._command, cwd=ROOT, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        ) as process:
            try:
                if self._until(self._right, time.monotonic(), 60)[0] >= 60:
                    raise RuntimeError(f"{self._command[2]} does not start")
                yield process
            finally:
                self._over.set()
                if process.poll() is None:
                    process.terminate()
                    with contextlib.suppress(subprocess.TimeoutExpired):
                        process.wait(20)
                    process.kill()

    def _processes(self, process: subprocess.Popen[bytes]) -> set[int]:
        """Those that answer: the workers of a supervisor, or the one process while it lives."""
        if process.poll() is not None:
            return set()
        if self._workers == 1:
            return {process.pid}
        listed = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        with contextlib.suppress(OSError):
            return {int(pid) for pid in listed if b"spawn_main" in Path(f"/proc/{pid}/cmdline").read_bytes()}
        return set()

    @staticmethod
    def _until(happened: Callable[[], bool], start: float, patience: float) -> tuple[float, float]:
        """Seconds since `start` when it happened, at most `patience`, and that moment."""
        while not happened() and time.monotonic() - start < patience:
            time.sleep(0.01)
        return min(time.monotonic() - start, patience), time.monotonic()

    def _status(self, path: str) -> int:
        connection = HTTPConnection("127.0.0.1", self._port, timeout=2)
        with contextlib.suppress(OSError, HTTPException), contextlib.closing(connection):
            connection.request("GET", path)
            return connection.getresponse().status
        return 0

    def _right(self) -> bool:
        try:
            return self._ask() is None
        except (OSError, HTTPException):
            return False

    def _ask(self) -> str | None:
        """One request on a connection of its own: None when the answer is right, the code of a refusal that may be.

        Raises OSError, HTTPException and, for any other answer, ValueError.
        """
        connection = HTTPConnection("127.0.0.1", self._port, timeout=PATIENCE)
        with contextlib.closing(connection):
            connection.request("POST", "/predict", PICTURE, {"Content-Type": "image/png"})
            answer = connection.getresponse()
            content = answer.read()
        said = json.loads(content)
        if answer.status == 200:
            if said["digit"] != DIGIT:
                raise ValueError(f"a wrong answer, {said['digit']}")
            return None
        code: str = said["error"]["code"]
        if answer.status != 503 or code not in FAILED:
            raise ValueError(f"{answer.status} {code}")
        return code

    @contextmanager
    def _callers(self) -> Iterator[None]:
        """Each asks until it is told that there will be no answer."""
        self._over.clear()

        def call() -> None:
            try:
                while not self._over.is_set() and self._ask() is None:
                    pass
            except ConnectionRefusedError:  # nobody listens any more: it was not taken
                pass
            except (OSError, HTTPException, ValueError, KeyError) as error:
                self.faults.append(f"{type(error).__name__} {error}"[:100])

        threads = [threading.Thread(target=call) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in threads:
                thread.join()


def _measure(command: Command, ask: Ask) -> Trial:
    """Every second case has two workers, of which one is poisoned."""
    figures: dict[str, float] = {}
    failures, notes = 0, []
    for number in range(ask.start, ask.start + ask.amount):
        with TemporaryDirectory() as folder:
            case = _Case(command, 1 + number % 2, Path(folder) / "poison")
            for name, seconds in case.run().items():
                figures[name] = max(seconds, figures.get(name, 0))
        failures += bool(case.faults)
        notes += case.faults[:3]
    return Trial(ask.amount, failures, figures, tuple(notes))


PROMISE = Promise(
    number=11,
    name="poisoned-backend",
    says="a device that fails for good: ready says 503, whoever waits gets a JSON 503, the process ends with a code "
    "other than 0 and is replaced; no wrong answer",
    unit="poisonings under load",
    full=20,
    small=2,
    portion=4,
    bounds={
        "not ready": Bound("s", most=1, timed=True),
        "ended": Bound("s", most=5, timed=True),
        "back": Bound("s"),
    },
    keep=lambda ask: _measure(_ours, ask),
    control=lambda ask: _measure(_textbook, Ask(1, ask.start, ask.seed)),
    against="a batcher as it stands in the books",
)
