"""A normal caller beside the load, in a process of its own: one small picture after the other on one connection.

    python -m benchmarks.reliability.neighbour URL PICTURE PACE

prints, once its standard input ends, how long each answer took and how many were not 200.
"""

import json
import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from statistics import quantiles
from urllib.parse import urlsplit

ROOT = Path(__file__).parents[2]
PACE = 0.005
"""Seconds from one request to the next, if the answer is there by then."""
PICTURE = ROOT / "examples" / "7.png"


class Neighbour:
    """What one found, once its block has ended."""

    def __init__(self) -> None:
        self.seconds: list[float] = []  # of each answer, in order
        self.failed = 0  # answers other than 200, and connections that broke

    @property
    def p99(self) -> float:
        """Seconds."""
        return quantiles(self.seconds, n=100)[98]

    @property
    def longest(self) -> float:
        """Seconds."""
        return max(self.seconds)


@contextmanager
def beside(url: str, *, pace: float = PACE) -> Iterator[Neighbour]:
    """One that asks while the block runs. Raises RuntimeError when it got no answer."""
    command = [sys.executable, "-m", "benchmarks.reliability.neighbour", url, str(PICTURE), str(pace)]
    found = Neighbour()
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        process.stdout.readline()  # it has begun
        try:
            yield found
        finally:
            said = json.loads(process.communicate()[0])
            found.seconds, found.failed = said["seconds"], said["failed"]
    if not found.seconds:
        raise RuntimeError("the neighbour got no answer")


def quietly(url: str, seconds: float) -> Neighbour:
    """One that asks for so long, with nothing of ours beside it."""
    with beside(url) as found:
        time.sleep(seconds)
    return found


def _ask(url: str, picture: bytes, pace: float) -> dict[str, object]:
    """Ask until standard input ends."""
    seconds: list[float] = []
    failed = 0
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    begun = False  # the first request connects, and warms up
    while not select.select([sys.stdin], [], [], 0)[0]:
        start = time.perf_counter()
        try:
            connection.request("POST", "/predict", picture, {"Content-Type": "image/png"})
            answer = connection.getresponse()
            answer.read()
            failed += answer.status != 200
        except (OSError, HTTPException):
            failed += 1
            connection.close()
        if begun:
            seconds.append(time.perf_counter() - start)
        else:
            begun = True
            sys.stdout.write("begun\n")
            sys.stdout.flush()
        time.sleep(max(0.0, start + pace - time.perf_counter()))
    return {"seconds": seconds, "failed": failed}


if __name__ == "__main__":
    _, its_url, its_picture, its_pace = sys.argv
    json.dump(_ask(its_url, Path(its_picture).read_bytes(), float(its_pace)), sys.stdout)
