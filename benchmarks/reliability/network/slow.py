"""Connections that take their time: thousands at once, held by one thread, each watched until the server ends it."""

import select
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from urllib.parse import urlsplit

SMALL_BUFFER = 4096  # bytes that the system is asked to hold of answers that nobody reads
PACE = 1.0  # seconds from one byte of a dripping connection to the next
CLOSED = select.EPOLLRDHUP | select.EPOLLHUP | select.EPOLLERR
BODY = 100_000  # bytes that are announced

REQUEST = b"POST /predict HTTP/1.1\r\nHost: slow\r\nContent-Type: image/png\r\n"
UNREAD = 10 * b"GET /openapi.json HTTP/1.1\r\nHost: slow\r\n\r\n"


@dataclass(frozen=True)
class Kind:
    """How a connection is slow: what it sends at once, and what it goes on sending, a byte at a time."""

    at_once: bytes
    drip: bytes = b""


KINDS = {
    "silent": Kind(b""),
    "headers": Kind(REQUEST + b"X-Slow: ", b"x"),
    "body": Kind(REQUEST + b"Content-Length: %d\r\n\r\n" % BODY, b"x"),
    "unread": Kind(UNREAD),
}


@dataclass
class Slow:
    """Connections under way."""

    opened: dict[int, tuple[str, socket.socket, float]] = field(default_factory=dict)  # those that are not closed yet
    lasted: dict[str, list[float]] = field(
        default_factory=lambda: {kind: [] for kind in KINDS}
    )  # seconds, of the others

    @property
    def longest(self) -> float:
        """Seconds that one of those that were closed was open."""
        return max((max(seconds) for seconds in self.lasted.values() if seconds), default=0.0)


@contextmanager
def connected(url: str, count: int) -> Iterator[tuple[Slow, Callable[[float], None]]]:
    """`count` connections, the kinds in turn, and what waits until all are closed or that many seconds are over."""
    address = (urlsplit(url).hostname, urlsplit(url).port)
    slow, kinds = Slow(), list(KINDS)
    with ExitStack() as stack, select.epoll() as watched:
        for number in range(count):
            kind = kinds[number % len(kinds)]
            one = stack.enter_context(socket.socket())
            if kind == "unread":
                one.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_BUFFER)
            one.settimeout(10)
            one.connect(address)
            one.setblocking(False)
            slow.opened[one.fileno()] = (kind, one, time.monotonic())
            watched.register(one, CLOSED)
            _send(one, KINDS[kind].at_once)
            _note_closed(slow, watched, 0)

        def wait(seconds: float) -> None:
            until, next_drip = time.monotonic() + seconds, time.monotonic()
            while slow.opened and time.monotonic() < until:
                if time.monotonic() >= next_drip:
                    next_drip += PACE
                    for kind, one, _ in list(slow.opened.values()):
                        _send(one, KINDS[kind].drip)
                _note_closed(slow, watched, 0.05)

        yield slow, wait


def _send(one: socket.socket, data: bytes) -> None:
    try:
        if data:
            one.send(data)
    except OSError:  # full, or closed, which is noted elsewhere
        pass


def _note_closed(slow: Slow, watched: select.epoll, seconds: float) -> None:
    for number, _ in watched.poll(seconds):
        kind, one, since = slow.opened.pop(number)
        slow.lasted[kind].append(time.monotonic() - since)
        watched.unregister(one)
