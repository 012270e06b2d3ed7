"""Callers in a closed loop on plain connections: what `lenet5 bench` measures with.

Each caller has a connection of its own and sends the next request once the last one is answered. Requests are made
beforehand and answers are hardly looked at, so that the caller costs as little as one in Python can.
"""

import asyncio
import ssl
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import count
from math import ceil
from time import perf_counter, process_time
from typing import Final
from urllib.parse import urlsplit

from app.errors import InvalidParameter

PATIENCE: Final = 30.0  # seconds for an answer


@dataclass(frozen=True)
class Target:
    """Where requests go."""

    host: str
    port: int
    secure: bool
    path: str

    @classmethod
    def of(cls, url: str, path: str) -> "Target":
        """`path` under a service's URL. Raises InvalidParameter."""
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError as error:
            raise InvalidParameter(f"{url!r} is no URL: {error}.", parameter="url") from None
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise InvalidParameter(f"{url!r} is not the URL of a service, such as http://127.0.0.1:8000.", url=url)
        secure = parts.scheme == "https"
        return cls(parts.hostname, port or (443 if secure else 80), secure, parts.path.rstrip("/") + path)

    def request(self, picture: bytes, api_key: str | None) -> bytes:
        """A whole request with one picture."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        head = (
            f"POST {self.path} HTTP/1.1\r\nHost: {host}:{self.port}\r\nContent-Type: application/octet-stream\r\n"
            f"Content-Length: {len(picture)}\r\n" + (f"Authorization: Bearer {api_key}\r\n" if api_key else "") + "\r\n"
        )
        return head.encode() + picture


@dataclass
class Measured:
    """What callers saw in a stretch of time."""

    callers: int
    latencies: list[float] = field(default_factory=list)  # seconds, of answers with 200
    errors: Counter[str] = field(default_factory=Counter)  # HTTP status, or what else went wrong -> how often
    seconds: float = 0.0
    busy: float = 0.0  # share of a core that the callers themselves took

    @property
    def rate(self) -> float:
        """Answers with 200 a second."""
        return len(self.latencies) / self.seconds if self.seconds else 0.0

    def percentile(self, share: float) -> float | None:
        """Seconds within which this share was answered (nearest rank); None where nothing was."""
        ordered = sorted(self.latencies)
        return ordered[max(ceil(share * len(ordered)) - 1, 0)] if ordered else None


async def measured(target: Target, requests: Sequence[bytes], callers: int, *, seconds: float) -> Measured:
    """So many callers for so long; the first tenth of the time is not counted."""
    found = Measured(callers)
    turns = count()
    begin = perf_counter() + seconds / 10
    end = begin + seconds

    async def caller() -> None:
        connection = None
        while (sent := perf_counter()) < end:
            kept = False
            try:
                if connection is None:
                    connection = await asyncio.wait_for(_connected(target), PATIENCE)
                request = requests[next(turns) % len(requests)]
                status, kept = await asyncio.wait_for(_exchange(*connection, request), PATIENCE)
                said = None if status == "200" else f"HTTP {status}"
            except TimeoutError:
                said = "timeout"
            except (OSError, EOFError, ValueError) as error:
                said = _named(error)
                await asyncio.sleep(0.05)  # what refuses connections is not to be hammered
            if not kept:
                _close(connection)
                connection = None
            if sent >= begin and perf_counter() <= end:
                if said is None:
                    found.latencies.append(perf_counter() - sent)
                else:
                    found.errors[said] += 1
        _close(connection)

    async with asyncio.TaskGroup() as group:
        for _ in range(callers):
            group.create_task(caller())
        await asyncio.sleep(max(begin - perf_counter(), 0))
        start, used = perf_counter(), process_time()
    found.seconds = perf_counter() - start
    found.busy = (process_time() - used) / found.seconds
    return found


Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def _connected(target: Target) -> Connection:
    context = ssl.create_default_context() if target.secure else None
    return await asyncio.open_connection(target.host, target.port, ssl=context)


async def _exchange(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: bytes) -> tuple[str, bool]:
    """One request; the status of its answer, and whether the connection is kept.

    Raises ValueError for an answer whose length is not said.
    """
    writer.write(request)
    head = (await reader.readuntil(b"\r\n\r\n")).lower()
    at = head.find(b"\r\ncontent-length:")
    if at < 0:
        raise ValueError("the answer has no Content-Length")
    await reader.readexactly(int(head[at + 17 : head.index(b"\r\n", at + 2)]))
    return head[9:12].decode("latin-1"), b"\r\nconnection: close" not in head


def _close(connection: Connection | None) -> None:
    if connection is not None:
        connection[1].close()


def _named(error: Exception) -> str:
    """In a few words."""
    if isinstance(error, EOFError):
        return "connection closed"
    return {"ConnectionRefusedError": "connection refused"}.get(
        type(error).__name__, str(error) or type(error).__name__
    )
