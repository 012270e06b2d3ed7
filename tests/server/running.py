"""A service as processes on a real socket."""

import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx


class Running:
    """A `lenet5 serve` process that says where it listens."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self._log = log
        self.said = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", self.said)
        assert found, self.said + log.read_text()
        self.port = int(found[1])
        self.url = found[0]

    @property
    def log(self) -> str:
        """What it has logged so far."""
        return self._log.read_text()

    @property
    def workers(self) -> list[int]:
        """The worker processes of a supervisor."""
        pid = self.process.pid
        listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [int(c) for c in listed if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)

    def refuses(self) -> bool:
        """Whether nothing listens any more."""
        try:
            self.connect().close()
        except ConnectionRefusedError:
            return True
        return False

    def metrics(self) -> str:
        return httpx.get(self.url + "/metrics").text

    def queued(self, depth: int) -> None:
        """Wait until that many pictures are queued."""
        until(lambda: f'lenet5_queue_depth{{model="lenet5"}} {depth}.0' in self.metrics())


def until(condition: Callable[[], object]) -> None:
    """Wait for what must happen."""
    for _ in range(1500):
        if condition():
            return
        time.sleep(0.02)
    raise AssertionError("it never happened")


def command(*options: str, port: int = 0) -> list[str]:
    return [sys.executable, "-m", "app", "serve", "--port", str(port), "--device", "cpu", *options]


@contextmanager
def service(log: Path, *options: str, port: int = 0, **variables: str) -> Iterator[Running]:
    """A running service that logs into the file, ended with the context."""
    variables = {**os.environ, **variables}
    line = command(*options, port=port)
    with (
        log.open("w") as out,
        subprocess.Popen(line, env=variables, stdout=out, stderr=subprocess.PIPE, text=True) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            process.kill()


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that ends with the context, whatever it hangs in."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()


def attempt(*options: str, port: int = 0, **variables: str) -> tuple[int, list[str]]:
    """Exit code, and the lines on standard error, of a start that cannot be."""
    done = subprocess.run(
        command(*options, port=port),
        env={**os.environ, **variables},
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
    )
    return done.returncode, done.stderr.splitlines()


def flip_a_bit(version: Path) -> None:
    """Break the weights in a version's folder, or mend them again."""
    weights = version / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)
