"""Promise 10: one of several workers may die, or hang, and nobody else notices."""

import json
import math
import os
import signal
import time
from collections import Counter
from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from benchmarks.reliability import blockable
from benchmarks.reliability.neighbour import PICTURE
from benchmarks.reliability.network.replicas import Clients
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, module

LOOK = 0.02  # seconds
PATIENCE = 20.0  # seconds after which a worker is not replaced
PAUSE = 0.5  # seconds between deaths
PACE = 0.02  # seconds from an answer to the same client's next request: some 300 requests a second
KINDS = ("killed", "stopped", "blocked")
UVICORN = (
    "--factory",
    "benchmarks.reliability.blockable:blockable",
    "--no-access-log",
    f"--workers={blockable.WORKERS}",
)


@dataclass(eq=False)
class _Port:
    port: int
    ready: bool = True
    life: int = 0


class _Workers:
    """Those of a supervisor, which serve as soon as they say so in its log; or are there, where it has no log."""

    def __init__(self, running: Running, log: Path | None) -> None:
        self.port = urlsplit(running.url).port or 0
        self._pid = running.pid
        self._log = log

    @property
    def serving(self) -> set[int]:
        """Their process numbers."""
        listed = Path(f"/proc/{self._pid}/task/{self._pid}/children").read_text().split()
        there = {int(pid) for pid in listed if b"spawn_main" in _command_line(pid)}
        if self._log is None:
            return there
        said = (json.loads(line) for line in self._log.read_text().splitlines() if line.endswith("}"))
        return there & {line["pid"] for line in said if line.get("event") == "worker serves"}

    def harm(self, kind: str) -> None:
        """One of them is no use any more."""
        if kind == "blocked":
            connection = HTTPConnection("127.0.0.1", self.port, timeout=LOOK)
            with suppress(TimeoutError, OSError):
                connection.request("GET", blockable.PATH)
                connection.getresponse()
            connection.close()
        else:
            os.kill(min(self.serving), signal.SIGKILL if kind == "killed" else signal.SIGSTOP)

    def replaced(self, before: set[int]) -> float:
        """Seconds until there are as many as before, and not the same; NaN when that doesn't come."""
        begun = time.monotonic()
        while time.monotonic() < begun + PATIENCE:
            now = self.serving
            if len(now) == len(before) and now != before:
                return time.monotonic() - begun
            time.sleep(LOOK)
        return float("nan")


def _command_line(pid: str) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:  # gone
        return b""


def _measured(server: Callable[[Path], AbstractContextManager[Running]], ask: Ask, *, logs: bool) -> Trial:
    worst, notes = dict.fromkeys(KINDS, 0.0), list[str]()
    with TemporaryDirectory() as folder:
        log = Path(folder, "log")
        with server(log) as running:
            workers = _Workers(running, log if logs else None)
            while len(whole := workers.serving) < blockable.WORKERS:
                time.sleep(LOOK)
            with Clients([_Port(workers.port)], PICTURE.read_bytes(), PACE) as clients:
                for case in range(ask.start, ask.start + ask.amount):
                    time.sleep(PAUSE)
                    kind, before = KINDS[case % len(KINDS)], len(clients.faults)
                    workers.harm(kind)
                    worst[kind] = max(worst[kind], workers.replaced(whole), key=lambda one: (math.isnan(one), one))
                    time.sleep(PAUSE)
                    whole = workers.serving
                    again = Counter(number for number, _ in clients.faults[before:])
                    notes += [f"{kind}: a client failed {times} times" for times in again.values() if times > 1]
                answered, faults = clients.answered, len(clients.faults)
    figures = {f"{kind}, replaced": seconds for kind, seconds in worst.items()}
    figures |= {"answered meanwhile": float(answered), "failed meanwhile": float(faults)}
    return Trial(ask.amount, len(notes), figures, tuple(notes[:10]))


PROMISE = Promise(
    number=10,
    name="workers-die",
    says="a worker that is killed, stopped or blocked under load is replaced, and no client of the others, nor any "
    "client twice, fails",
    unit="deaths",
    full=60,
    small=3,
    portion=15,
    bounds={
        "killed, replaced": Bound("s", most=2, timed=True),
        "stopped, replaced": Bound("s", most=3, timed=True),
        "blocked, replaced": Bound("s", most=3, timed=True),
        "answered meanwhile": Bound("requests", least=1),
        "failed meanwhile": Bound("requests"),
    },
    keep=lambda ask: _measured(lambda log: module("benchmarks.reliability.blockable", log=log), ask, logs=True),
    control=lambda ask: _measured(lambda _: module("uvicorn", *UVICORN), ask, logs=False),
    against="our application on uvicorn's own workers",
    in_ci=False,
)
