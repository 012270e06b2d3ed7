"""What is measured: the service, and what is known not to keep the promises."""

import contextlib
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from benchmarks.running import Running, service

ROOT = Path(__file__).parents[2]
START_SECONDS = 60.0

__all__ = ["Running", "control", "many_files", "module", "plain_uvicorn", "rival", "service"]


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


@contextmanager
def many_files() -> Iterator[None]:
    """This process, and those that it starts, may open as many files as the system lets them."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@contextmanager
def plain_uvicorn(*options: str) -> Iterator[Running]:
    """Our application on uvicorn as it comes: its protocol, its drain, its supervisor."""
    with module("uvicorn", "app.main:app", "--no-access-log", *options) as running:
        yield running


@contextmanager
def rival(name: str) -> Iterator[Running]:
    """A server of benchmarks.speed.rivals that needs no packages of its own: `textbook` or `tutorial`.

    FastAPI on plain uvicorn, `await request.body()`, Pillow's defaults, and a batcher of the books or none.
    """
    with module(f"benchmarks.speed.rivals.{name}") as running:
        yield running


@contextmanager
def control(name: str, *, log: Path | None = None) -> Iterator[Running]:
    """A server of benchmarks.reliability.controls; `log` gets all that it says."""
    with module(f"benchmarks.reliability.controls.{name}", log=log) as running:
        yield running


@contextmanager
def module(name: str, *options: str, log: Path | None = None) -> Iterator[Running]:
    """A module that serves at --port PORT; `log` gets all that it says."""
    with _command([sys.executable, "-m", name, *options], log) as running:
        yield running


@contextmanager
def _command(command: list[str], log: Path | None = None) -> Iterator[Running]:
    """A server that takes --port, answering, ended with the block. Raises RuntimeError when it does not start."""
    port = free_port()
    with (
        (log or Path(os.devnull)).open("w") as said,
        subprocess.Popen(
            [*command, "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": f"{ROOT}:{ROOT / 'client'}"},
            stdout=said,
            stderr=said,
            start_new_session=True,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            until = time.monotonic() + START_SECONDS
            while not _answers(url):
                if time.monotonic() > until or process.poll() is not None:
                    raise RuntimeError(f"{command[2]} does not start")
                time.sleep(0.1)
            yield Running(url, process.pid)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


def _answers(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(url + "/openapi.json", timeout=5).status_code == 200
    return False
