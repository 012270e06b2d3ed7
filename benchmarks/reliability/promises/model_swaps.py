"""Promise 14: models are replaced while requests run, and no answer is lost, late or of another model than it says."""

import os
import signal
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, closing, contextmanager
from functools import partial
from http.client import HTTPConnection, HTTPException
from json import loads
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

import httpx

from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import ROOT, Running, control, service
from benchmarks.reliability.two_models import remove, write_constant
from benchmarks.running import metric

PICTURE = (ROOT / "examples" / "7.png").read_bytes()
CALLERS = 8
REQUESTS_A_SWAP = 500
CORRUPT_EVERY = 10
"""Swaps from one corrupt version, which is to be refused, to the next."""
PATIENCE = 20.0
"""Seconds in which a version that was laid down is to be served."""

Serve = Callable[[Path, int], AbstractContextManager[Running]]
"""Model folder and number of workers to a server."""


class _Callers:
    """Ask without end, each on a connection of its own, and note what is wrong with an answer."""

    def __init__(self, url: str) -> None:
        self._address = urlsplit(url).netloc
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        self.versions: Counter[int] = Counter()  # of the right answers
        self.faults: list[str] = []

    @contextmanager
    def asking(self) -> Iterator[None]:
        """While the block runs."""
        for thread in self._threads:
            thread.start()
        try:
            yield
        finally:
            self._over.set()
            for thread in self._threads:
                thread.join()

    @property
    def answered(self) -> int:
        """Requests so far."""
        return self.versions.total() + len(self.faults)

    def have_asked(self, requests: int) -> bool:
        """Whether so many were answered."""
        return self.answered >= requests

    def have_had(self, version: int) -> bool:
        """Whether one answer was of this version, and right."""
        return self.versions[version] > 0

    def _call(self) -> None:
        with closing(HTTPConnection(self._address, timeout=30)) as connection:
            while not self._over.is_set():
                try:
                    connection.request("POST", "/predict", PICTURE, {"Content-Type": "image/png"})
                    answer = connection.getresponse()
                    self._note(answer.status, answer.read())
                except (OSError, HTTPException) as error:
                    self.faults.append(f"{type(error).__name__} {error}"[:100])
                    connection.close()

    def _note(self, status: int, content: bytes) -> None:
        if status != 200:
            self.faults.append(f"{status} {content[:80].decode(errors='replace')}")
            return
        said = loads(content)
        digit, version = said["digit"], int(said["model"]["version"])
        if digit == version % 10:
            self.versions[version] += 1
        else:
            self.faults.append(f"version {version} says {digit}, not {version % 10}")


def _measure(serve: Serve, ask: Ask) -> Trial:
    """As many requests as are asked for, among so many swaps; every second portion has two workers."""
    swaps = max(1, ask.amount // REQUESTS_A_SWAP)
    workers = 1 + ask.start // PROMISE.portion % 2
    unserved = uncounted = 0
    with TemporaryDirectory() as folder:
        models = Path(folder)
        write_constant(models, version=1, digit=1)
        with serve(models, workers) as running:
            callers = _Callers(running.url)
            with callers.asking():
                for swap in range(1, swaps + 1):
                    version = 2 * swap
                    if swap % CORRUPT_EVERY == 1:
                        uncounted += not _refuses(models, version, running, callers)
                    write_constant(models, version=version + 1, digit=(version + 1) % 10)
                    os.kill(running.pid, signal.SIGHUP)
                    unserved += not _until(partial(callers.have_had, version + 1))
                    remove(models / "lenet5" / str(version - 1))
                    _until(partial(callers.have_asked, ask.amount * swap // swaps))
    figures = {"swaps": swaps, "versions not served": unserved, "corrupt versions not counted": uncounted}
    return Trial(callers.answered, len(callers.faults), figures, tuple(callers.faults[:3]))


def _refuses(models: Path, version: int, running: Running, callers: _Callers) -> bool:
    """Whether a new version of which one bit is wrong is counted as refused; that it is not served the answers show."""
    before = _refused(running.url)
    graph = write_constant(models, version=version, digit=version % 10) / "model.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)
    os.kill(running.pid, signal.SIGHUP)
    counted = _until(lambda: _refused(running.url) > before)
    if callers.have_had(version):
        callers.faults.append(f"the corrupt version {version} is served")
    return counted


def _refused(url: str) -> float:
    """Reloads that refused a version, as the metrics have them."""
    try:
        return metric(httpx.get(url + "/metrics").text, "lenet5_model_reloads_total", result="refused")
    except httpx.TransportError:
        return 0


def _until(happened: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE
    while not happened():
        if time.monotonic() > end:
            return False
        time.sleep(0.01)
    return True


def _ours(models: Path, workers: int) -> AbstractContextManager[Running]:
    return service("--device", "cpu", "--model-dir", str(models), "--workers", str(workers))


@contextmanager
def _naive(models: Path, workers: int) -> Iterator[Running]:  # noqa: ARG001 - it has one process
    os.environ["LENET5_MODEL_DIR"] = str(models)
    try:
        with control("naive_reload") as running:
            yield running
    finally:
        del os.environ["LENET5_MODEL_DIR"]


PROMISE = Promise(
    number=14,
    name="model-swaps",
    says="versions that come and go under load lose no request, each answer is of the version that it names, and a "
    "corrupt one is refused, as a metric says",
    unit="requests",
    full=50_000,
    small=1_000,
    portion=12_500,
    bounds={
        "swaps": Bound(""),
        "versions not served": Bound("", most=0),
        "corrupt versions not counted": Bound("", most=0),
    },
    keep=lambda ask: _measure(_ours, ask),
    control=lambda ask: _measure(_naive, ask),
    against="FastAPI that loads the newest folder on SIGHUP",
)
