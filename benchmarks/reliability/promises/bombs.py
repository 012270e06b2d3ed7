"""Promise 5: no picture that is built to cost much does."""

import json
import time
from collections.abc import Callable
from contextlib import AbstractContextManager
from http.client import HTTPConnection, HTTPException
from urllib.parse import urlsplit

from benchmarks.reliability.hostile.bombs import bombs
from benchmarks.reliability.memory import growth
from benchmarks.reliability.neighbour import beside
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, rival, service

CODES = {"invalid_image", "image_too_large", "unsupported_media_type"}
HEADERS = {"Content-Type": "application/octet-stream"}
SIZES = {False: "4 megapixels", True: "16 megapixels"}


def _answered(connection: HTTPConnection, data: bytes) -> str | None:
    """What is wrong with the answer to a bomb: None where it is read, or refused by a code of pictures."""
    try:
        connection.request("POST", "/predict", data, HEADERS)
        answer = connection.getresponse()
        body = answer.read()
        if answer.status == 200:
            return None
        code = json.loads(body)["error"]["code"]
    except (OSError, HTTPException, ValueError, KeyError, TypeError) as error:
        connection.close()
        return type(error).__name__
    return None if code in CODES else f"{answer.status} {code}"


def _measured(server: Callable[[], AbstractContextManager[Running]], ask: Ask) -> Trial:
    known = bombs()
    worst = {f"{what}, {size}": 0.0 for size in SIZES.values() for what in ("slowest answer", "memory")}
    notes: list[str] = []
    with server() as running, beside(running.url) as neighbour:
        connection = HTTPConnection(urlsplit(running.url).netloc, timeout=60)
        for case in range(ask.start, ask.start + ask.amount):
            bomb = known[case % len(known)]
            with growth(running.pid) as grown:
                begun = time.perf_counter()
                fault = _answered(connection, bomb.data)
                found = {"slowest answer": 1e3 * (time.perf_counter() - begun), "memory": grown()}
            notes += [f"{bomb.name}: {fault}"] if fault else []
            for what, value in found.items():
                name = f"{what}, {SIZES[bomb.large]}"
                worst[name] = max(worst[name], value)
        connection.close()
    figures = worst | {"neighbour": neighbour.longest * 1e3, "neighbour refused": float(neighbour.failed)}
    return Trial(ask.amount, len(notes), figures, tuple(notes))


PROMISE = Promise(
    number=5,
    name="bombs",
    says="94 small files, each built to cost a decoder time or memory, are read, or refused by a documented code, "
    "cheaply, and slow nobody else down",
    unit="bombs",
    full=282,
    small=94,
    portion=94,
    bounds={
        "slowest answer, 4 megapixels": Bound("ms", most=250, timed=True),
        "slowest answer, 16 megapixels": Bound("ms", most=700, timed=True),
        "memory, 4 megapixels": Bound("MB more", most=80),
        "memory, 16 megapixels": Bound("MB more", most=270),
        "neighbour": Bound("ms for the slowest answer", most=50, timed=True),
        "neighbour refused": Bound("answers", most=0),
    },
    keep=lambda ask: _measured(service, ask),
    control=lambda ask: _measured(lambda: rival("tutorial"), ask),
    against="FastAPI on plain uvicorn with Pillow's defaults",
)
