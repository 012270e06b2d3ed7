"""An open loop: requests at a fixed rate whatever the server does, each latency counted from when it was due.

A closed loop waits for a slow server and so asks less just when it is slow; its latencies hide that. One thread that
never sleeps sends within microseconds of the time, on a core of its own: `late` says how it kept it.
"""

import select
import socket
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

import numpy as np
import numpy.typing as npt

from benchmarks.speed.machine import cores, pinned

CONNECTIONS = 256
PATIENCE = 3.0  # times the planned duration, after which the rest is given up


@dataclass(frozen=True)
class Paced:
    """What came of a fixed rate."""

    rate: float  # requests a second that were due
    p50: float  # seconds from due to answered
    p99: float
    errors: int  # answers other than 200, and requests that were never answered
    late: float  # seconds, 99th percentile: sent after it was due though a connection was free


@dataclass(eq=False)
class _Connection:
    socket: socket.socket
    due: float = 0.0  # perf_counter() time
    free_since: float = 0.0
    received: bytearray = field(default_factory=bytearray)


def load(
    url: str,
    bodies: Sequence[bytes],
    *,
    rate: float,
    seconds: float,
    content_type: str = "image/png",
    arrivals: Sequence[float] | npt.NDArray[np.float64] | None = None,
) -> Paced:
    """Post `bodies` in turn, one every 1 / `rate` seconds, or at `arrivals`, seconds from the start.

    Raises ConnectionError when the server closes a connection.
    """
    if arrivals is None:
        arrivals = np.arange(max(1, round(rate * seconds))) / rate
    where = urlsplit(url)
    assert where.hostname is not None
    head = f"POST {where.path} HTTP/1.1\r\nHost: {where.netloc}\r\nContent-Type: {content_type}\r\nContent-Length: "
    requests = [head.encode() + f"{len(body)}\r\n\r\n".encode() + body for body in bodies]
    connections = []
    for _ in range(CONNECTIONS):
        opened = socket.create_connection((where.hostname, where.port or 80))
        opened.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        connections.append(_Connection(opened))
    try:
        with pinned(cores()[1]):
            return _run(connections, requests, rate, [float(due) for due in arrivals], seconds)
    finally:
        for connection in connections:
            connection.socket.close()


def _run(
    connections: list[_Connection], requests: list[bytes], rate: float, arrivals: list[float], seconds: float
) -> Paced:
    poll = select.epoll()
    for connection in connections:
        poll.register(connection.socket.fileno(), select.EPOLLIN)
    of_number = {connection.socket.fileno(): connection for connection in connections}
    free = deque(connections)
    count = len(arrivals)
    latencies: list[float] = []
    late: list[float] = []
    refused = sent = 0
    start = time.perf_counter()
    while len(latencies) < count and (now := time.perf_counter()) < start + PATIENCE * seconds:
        while free and sent < count and (due := start + arrivals[sent]) <= now:
            connection = free.popleft()
            connection.due = due
            connection.socket.sendall(requests[sent % len(requests)])
            late.append(now - max(due, connection.free_since))
            sent += 1
        for number, _ in poll.poll(0):
            connection = of_number[number]
            status = _received(connection)
            if status:
                connection.free_since = time.perf_counter()
                latencies.append(connection.free_since - connection.due)
                refused += status != 200
                free.append(connection)
    poll.close()
    p50, p99 = np.percentile(latencies, (50, 99)).tolist() if latencies else (float("inf"), float("inf"))
    return Paced(rate, p50, p99, refused + count - len(latencies), float(np.percentile(late, 99)))


def _received(connection: _Connection) -> int:
    """The status of the answer once it is whole, else 0."""
    data = connection.socket.recv(65536)
    if not data:
        raise ConnectionError("the server closed a connection")
    connection.received += data
    status = whole(connection.received)
    if status:
        connection.received.clear()
    return status


def whole(received: bytes | bytearray) -> int:
    """The status of a response with a Content-Length that is complete, else 0."""
    head, end, body = bytes(received).partition(b"\r\n\r\n")
    if not end:
        return 0
    length = head.lower().partition(b"\r\ncontent-length:")[2].partition(b"\r\n")[0]
    return int(head[9:12]) if len(body) >= int(length) else 0
