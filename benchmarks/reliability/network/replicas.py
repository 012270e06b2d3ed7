"""Replicas, and clients that balance between those which say that they are ready."""

import contextlib
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from itertools import count
from typing import Protocol

from benchmarks.reliability.servers import ROOT, START_SECONDS, free_port

LOOK = 0.02  # seconds between looks whether a replica is ready
CLIENTS = 8


class Place(Protocol):
    """Where clients may go."""

    port: int
    ready: bool
    life: int  # another, and connections of before are of no use


Command = Callable[[int], list[str]]
"""What serves at a port."""


class Replica:
    """One process after the other at the same port."""

    def __init__(self, command: Command) -> None:
        self.port = free_port()
        self.life = 0  # how many times it became ready
        self.ready = False
        self.codes: list[int] = []  # with which it ended
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Returns once it is ready. Raises RuntimeError when it does not become so."""
        environment = os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"}
        quiet = subprocess.DEVNULL
        self._process = subprocess.Popen(
            self._command(self.port), cwd=ROOT, env=environment, stdout=quiet, stderr=quiet, start_new_session=True
        )
        until = time.monotonic() + START_SECONDS
        while not self.ready:
            if time.monotonic() > until or self._process.poll() is not None:
                raise RuntimeError("a replica does not start")
            time.sleep(LOOK)

    def signal(self, sig: int) -> None:
        """Send it to the first process."""
        assert self._process is not None
        self._process.send_signal(sig)

    def ended(self) -> int:
        """The exit code, once there is one."""
        assert self._process is not None
        return self._process.wait(60)

    def stop(self) -> None:
        """As an orchestrator does: SIGTERM, and wait for the end."""
        self.signal(signal.SIGTERM)
        self.codes.append(self.ended())

    def look(self) -> None:
        """Ask whether it is ready."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=2)
        try:
            connection.request("GET", "/health/ready")
            ready = connection.getresponse().status == 200
        except (OSError, HTTPException):
            ready = False
        connection.close()
        self.life += ready and not self.ready
        self.ready = ready

    def kill(self) -> None:
        """Whatever is left of it."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


@contextmanager
def running(command: Command, number: int) -> Iterator[list[Replica]]:
    """So many, all ready, and watched while the block runs."""
    replicas, over = [Replica(command) for _ in range(number)], threading.Event()

    def watch(replica: Replica) -> None:
        while not over.wait(LOOK):
            replica.look()

    threads = [threading.Thread(target=watch, args=(replica,)) for replica in replicas]
    for thread in threads:
        thread.start()
    try:
        for replica in replicas:
            replica.start()
        yield replicas
    finally:
        over.set()
        for thread in threads:
            thread.join()
        for replica in replicas:
            replica.kill()


class Clients:
    """Threads that post a picture again and again, each on a connection that it keeps to each replica.

    They pause for `pace` seconds after each answer.
    """

    def __init__(self, replicas: Sequence[Place], picture: bytes, pace: float = 0.0) -> None:
        self.answered = 0
        self.faults: list[tuple[int, str]] = []  # the client, and what it saw
        self._replicas = replicas
        self._picture = picture
        self._pace = pace
        self._over = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(CLIENTS)]

    def __enter__(self) -> "Clients":
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join()

    def until(self, answered: int) -> None:
        """Wait for so many answers, or as many faults."""
        while self.answered < answered and len(self.faults) < answered:
            time.sleep(LOOK)

    def _ask(self, number: int) -> None:
        kept: dict[Place, tuple[int, HTTPConnection]] = {}
        self._go_on(number, kept)
        for _, connection in kept.values():
            connection.close()

    def _go_on(self, number: int, kept: dict[Place, tuple[int, HTTPConnection]]) -> None:
        for turn in count(number):
            if self._over.is_set():
                return
            ready = [replica for replica in self._replicas if replica.ready]
            if not ready:
                self._note(number, "no replica is ready")
                time.sleep(LOOK)
                continue
            replica = ready[turn % len(ready)]
            life, connection = kept.get(replica, (0, None))
            if connection is None or life != replica.life:
                if connection is not None:
                    connection.close()
                connection = HTTPConnection("127.0.0.1", replica.port, timeout=30)
                kept[replica] = replica.life, connection
            try:
                connection.request("POST", "/predict", self._picture, {"Content-Type": "image/png"})
                answer = connection.getresponse()
                answer.read()
                self._note(number, None if answer.status == 200 else str(answer.status))
                time.sleep(self._pace)
            except (OSError, HTTPException) as error:
                connection.close()
                self._note(number, type(error).__name__)

    def _note(self, number: int, fault: str | None) -> None:
        with self._lock:
            self.answered += fault is None
            if fault:
                self.faults.append((number, fault))
