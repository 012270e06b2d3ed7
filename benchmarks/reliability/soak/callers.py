"""Callers of every kind, many at a time: good ones, bad ones, and those that go away."""

import asyncio
import re
import struct
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random

from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.seeds import seeds

CALLERS = 24
SECONDS = 30.0  # for an answer
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
BOUNDARY = b"boundary"
HUGE = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + struct.pack(">IIBBBBB", 60_000, 60_000, 8, 0, 0, 0, 0)
FULL = 429


@dataclass(frozen=True)
class Kind:
    """One way of calling."""

    name: str
    weight: int
    statuses: frozenset[int]  # that it may be answered with; none: the caller goes away before


KINDS = (
    Kind("good", 700, frozenset({200, FULL})),
    Kind("bad", 120, frozenset({200, 413, 415, 422, FULL})),
    Kind("too large", 40, frozenset({413, FULL})),
    Kind("batch", 20, frozenset({200, FULL})),
    Kind("field", 20, frozenset({200, FULL})),
    Kind("parameter", 30, frozenset({422})),
    Kind("path", 20, frozenset({404})),
    Kind("method", 20, frozenset({405})),
    Kind("cancelled", 20, frozenset()),
    Kind("broken off", 10, frozenset()),
)
WEIGHTS = [kind.weight for kind in KINDS]


@dataclass
class Answered:
    """How it went."""

    statuses: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


async def call(port: int, numbers: Iterator[int], seed: int) -> Answered:
    """All of these requests, from CALLERS callers at a time, each on a connection that it keeps as long as it can."""
    answered = Answered()
    await asyncio.gather(*(_Caller(port, numbers, seed, answered).go_on() for _ in range(CALLERS)))
    return answered


class _Caller:
    def __init__(self, port: int, numbers: Iterator[int], seed: int, answered: Answered) -> None:
        self._port, self._numbers, self._seed, self._answered = port, numbers, seed, answered
        self._writer: asyncio.StreamWriter | None = None

    async def go_on(self) -> None:
        """One request after the other."""
        for number in self._numbers:
            rng = Random(self._seed * 1_000_000_007 + number)
            (kind,) = rng.choices(KINDS, WEIGHTS)
            try:
                async with asyncio.timeout(SECONDS):
                    status = await self._once(kind, number, rng)
            except (OSError, EOFError, TimeoutError) as error:
                self._leave()
                self._answered.wrong.append(f"request {number}, {kind.name}: {type(error).__name__}")
                continue
            self._answered.statuses[str(status or kind.name)] += 1
            if status is not None and status not in kind.statuses:
                self._answered.wrong.append(f"request {number}, {kind.name}: {status}")
        self._leave()

    async def _once(self, kind: Kind, number: int, rng: Random) -> int | None:
        if self._writer is None:
            self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
        request = _request(kind, number, self._seed, rng)
        if not kind.statuses:
            self._writer.write(request[: len(request) // 2] if kind.name == "broken off" else request)
            await self._writer.drain()
            await asyncio.sleep(rng.choice((0.0, 0.0, 0.002)))
            self._leave()
            return None
        self._writer.write(request)
        head = await self._reader.readuntil(b"\r\n\r\n")
        length = LENGTH.search(head)
        await self._reader.readexactly(int(length[1]) if length else 0)
        if b"connection: close" in head.lower():
            self._leave()
        return int(head[9:12])

    def _leave(self) -> None:
        if self._writer is not None:
            self._writer.transport.abort()
            self._writer = None


def _request(kind: Kind, number: int, seed: int, rng: Random) -> bytes:
    pictures = seeds()
    if kind.name == "path":
        return b"GET /nothing HTTP/1.1\r\nHost: here\r\n\r\n"
    if kind.name == "method":
        return b"GET /predict HTTP/1.1\r\nHost: here\r\n\r\n"
    if kind.name == "batch":
        part = b'--%b\r\nContent-Disposition: form-data; name="files"; filename="a"\r\n\r\n%b\r\n'
        parts = b"".join(part % (BOUNDARY, rng.choice(pictures)) for _ in range(3))
        return _post(b"/predict/batch", parts + b"--%b--\r\n" % BOUNDARY, b"multipart/form-data; boundary=" + BOUNDARY)
    if kind.name == "field":
        return _post(b"/read", rng.choice(pictures))
    if kind.name == "parameter":
        return _post(b"/predict?threshold=2", pictures[0])
    body = {"bad": lambda: mutated(number, seed, pictures), "too large": lambda: HUGE}.get(
        kind.name, lambda: rng.choice(pictures)
    )()
    return _post(b"/predict", body)


def _post(path: bytes, body: bytes, media_type: bytes = b"application/octet-stream") -> bytes:
    head = b"POST %b HTTP/1.1\r\nHost: here\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n"
    return head % (path, media_type, len(body)) + body
