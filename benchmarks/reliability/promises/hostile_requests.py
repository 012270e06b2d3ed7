"""Promise 6, over HTTP: mutated pictures get an answer of ours each, and the service stays what it was."""

import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from benchmarks.reliability.growth import Slope
from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.seeds import seeds
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, rival, service

ANSWERS = {200, 413, 415, 422}
HEADERS = {"Content-Type": "application/octet-stream"}
FIELD_EVERY = 50
NOTES = 10


def _measured(server: Callable[[], AbstractContextManager[Running]], fields: bool, ask: Ask) -> Trial:
    pictures, failures, slowest, notes = seeds(), 0, 0.0, list[str]()
    with server() as running:
        slope = Slope(running.pid)
        connection = HTTPConnection(urlsplit(running.url).netloc, timeout=60)
        for number in range(ask.amount):
            case = ask.start + number
            path = "/read" if fields and case % FIELD_EVERY == 0 else "/predict"
            data = mutated(case, ask.seed, pictures)
            begun = time.perf_counter()
            try:
                connection.request("POST", path, data, HEADERS)
                answer = connection.getresponse()
                answer.read()
                status = str(answer.status)
            except (OSError, HTTPException) as error:
                connection.close()
                status = type(error).__name__
            slowest = max(slowest, time.perf_counter() - begun)
            if status not in map(str, ANSWERS):
                failures += 1
                notes += [f"picture {case}: {status}"][: NOTES - len(notes)]
            slope.done(number)
        connection.close()
    figures = {"slowest answer": slowest * 1e3}
    if (added := slope.per(100_000)) is not None:
        figures["memory a 100,000"] = added
    return Trial(ask.amount, failures, figures, tuple(notes))


PROMISE = Promise(
    number=6,
    name="hostile-requests",
    says="the same over HTTP: each gets an answer, 0 are 500",
    unit="requests",
    full=100_000,
    small=2_000,
    portion=100_000,
    bounds={"slowest answer": Bound("ms", most=250, timed=True), "memory a 100,000": Bound("MB", most=1)},
    keep=lambda ask: _measured(service, True, ask),
    control=lambda ask: _measured(lambda: rival("textbook"), False, ask),
    against="FastAPI on plain uvicorn with Pillow's defaults",
    in_ci=False,
)
