"""One connection that sends as much as it can: requests, chunks or a header without end."""

import socket
import threading
from collections.abc import Iterator
from contextlib import suppress
from urllib.parse import urlsplit

AT_A_TIME = 10_000  # requests or chunks in one piece
PIECE = 65_536  # bytes that are read, or sent of a header
HEADER = 64_000_000  # bytes
PATIENCE = 60.0  # seconds without an answer
ANSWERED = b"HTTP/1.1 200 "


class Connection:
    """It sends in a thread of its own, so that answers are read meanwhile."""

    def __init__(self, url: str, pieces: Iterator[bytes]) -> None:
        self._socket = socket.create_connection((urlsplit(url).hostname, urlsplit(url).port), timeout=PATIENCE)
        self._thread = threading.Thread(target=self._send, args=(pieces,), daemon=True)
        self._thread.start()

    def answers(self) -> Iterator[bytes]:
        """What comes, until the other side closes."""
        with suppress(OSError):
            while data := self._socket.recv(PIECE):
                yield data

    def close(self) -> None:
        """Leave, whatever is still to be sent."""
        with suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._thread.join()
        self._socket.close()

    def _send(self, pieces: Iterator[bytes]) -> None:
        with suppress(OSError):
            for piece in pieces:
                self._socket.sendall(piece)


def requests(url: str, count: int) -> str | None:
    """That many requests without waiting for an answer; what is wrong, None when each is answered 200."""
    one = b"GET /health/live HTTP/1.1\r\nHost: flood\r\n\r\n"
    connection = Connection(url, (one * size for size in _sizes(count)))
    answered, rest = 0, b""
    for data in connection.answers():
        answered += (rest + data).count(ANSWERED)
        rest = data[1 - len(ANSWERED) :] if len(data) >= len(ANSWERED) else b""
        if answered >= count:
            break
    connection.close()
    return None if answered == count else f"{answered:,} of {count:,} requests answered"


def chunks(url: str, count: int) -> str | None:
    """A body of that many chunks of a byte each; what is wrong, None when it is refused as no picture."""
    head = b"POST /predict HTTP/1.1\r\nHost: flood\r\nContent-Type: image/png\r\nTransfer-Encoding: chunked\r\n\r\n"

    def pieces() -> Iterator[bytes]:
        yield head
        yield from (b"1\r\nx\r\n" * size for size in _sizes(count))
        yield b"0\r\n\r\n"

    return _refused(url, pieces(), (b"400", b"415", b"422"), f"{count:,} chunks")


def header(url: str, size: int = HEADER) -> str | None:
    """A header field of that many bytes; what is wrong, None when it is refused as too large."""

    def pieces() -> Iterator[bytes]:
        yield b"GET /health/live HTTP/1.1\r\nHost: flood\r\nX-Flood: "
        yield from (b"x" * PIECE for _ in range(size // PIECE))
        yield b"\r\n\r\n"

    return _refused(url, pieces(), (b"431",), f"a header of {size:,} bytes")


def _sizes(count: int) -> Iterator[int]:
    for first in range(0, count, AT_A_TIME):
        yield min(AT_A_TIME, count - first)


def _refused(url: str, pieces: Iterator[bytes], statuses: tuple[bytes, ...], what: str) -> str | None:
    connection = Connection(url, pieces)
    first = next(connection.answers(), b"")
    connection.close()
    status = first[9:12]
    return None if status in statuses else f"{what}: {status.decode() or 'no answer'}"
