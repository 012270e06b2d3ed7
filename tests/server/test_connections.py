"""Connections that are slow, large, cut or pipelined, against one real service with short deadlines."""

import json
import os
import re
import select
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import httpx
import pytest

URL_LINE = re.compile(r"http://127\.0\.0\.1:(\d+)")


@pytest.fixture(scope="module")
def service(model_dir: Path) -> Iterator[tuple[str, int]]:
    """The URL and the process id of a service whose connections have a second for everything."""
    options = ["--header-timeout", "1", "--body-timeout", "1", "--keep-alive-timeout", "2"]
    options += ["--answer-timeout", "4"]
    options += ["--max-header-bytes", "4096", "--max-body-bytes", "1000000"]
    command = [sys.executable, "-m", "app", "serve", "--port", "0", "--device", "cpu", "--model-dir", str(model_dir)]
    with subprocess.Popen(
        [*command, *options], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            yield URL_LINE.search(process.stderr.readline())[0], process.pid
        finally:
            process.send_signal(signal.SIGTERM)


@pytest.fixture
def connect(service: tuple[str, int]) -> Iterator[Callable[[bytes], socket.socket]]:
    """`connect(data)`: a connection of the test's own on which `data` was sent."""
    with ExitStack() as stack:

        def start(data: bytes = b"") -> socket.socket:
            port = int(service[0].rpartition(":")[2])
            connection = stack.enter_context(socket.create_connection(("127.0.0.1", port), timeout=20))
            connection.sendall(data)
            return connection

        yield start


def post(body: bytes, *headers: bytes, length: int | None = None) -> bytes:
    """A raw request to /predict."""
    lines = [b"POST /predict HTTP/1.1", b"Host: a", b"Content-Length: %d" % (len(body) if length is None else length)]
    return b"\r\n".join([*lines, *headers, b"", body])


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    with suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def statuses(answers: bytes) -> list[int]:
    """The status of each answer on a connection, in order."""
    return [int(status) for status in re.findall(rb"HTTP/1\.1 (\d+) (?!Continue)", answers)]


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and code of one raw answer in our shape, that says it closes."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-request-id: " in head
    assert b"connection: close" in head
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_silence_is_closed_without_a_word(connect):
    """A connection on which nothing comes, and one with a lone line end, are closed when headers are due."""
    assert read_all(connect()) == b""
    assert read_all(connect(b"\r\n")) == b""


@pytest.mark.parametrize(
    ("data", "expected"),
    [
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\n", (408, "request_timeout")),
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000 + b"\r\n\r\n", (431, "headers_too_large")),
        (b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000, (431, "headers_too_large")),
        (b"\x16\x03\x01\x00nonsense\r\n\r\n", (400, "malformed_request")),
        (post(b"half", length=100), (408, "request_timeout")),
        (post(b"x" * 900_000, length=1_000_000), (408, "request_timeout")),
        (post(b"x", b"Connection: Upgrade, HTTP2-Settings", b"Upgrade: h2c"), (400, "malformed_request")),
    ],
)
def test_what_is_wrong_with_a_connection_is_said_and_it_is_closed(connect, data, expected):
    """Half headers, too many, nonsense, bodies that stop half way, upgrades: each has its code, in the one shape."""
    assert refusal(read_all(connect(data))) == expected


def test_a_byte_now_and_then_keeps_no_connection_open(connect):
    """Headers that come a byte at a time are given up when they are due, however regularly the bytes come."""
    connection = connect(b"GET / HTTP/1.1\r\nX: ")
    began = time.monotonic()
    with suppress(OSError):
        while time.monotonic() - began < 15:
            connection.sendall(b"x")
            time.sleep(0.2)
    assert time.monotonic() - began < 15


@pytest.mark.parametrize("stray", [b"", b"\r\n"])
def test_a_kept_connection_is_closed_when_idle(connect, stray):
    """After an answer an idle connection is closed, also one on which a stray line end came."""
    connection = connect(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
    while not connection.recv(65536).endswith(b"}"):
        pass
    connection.sendall(stray)
    assert read_all(connection) == b""


def test_a_kept_connection_is_used_again(service, digits):
    """Requests on one connection, good and bad, are each answered; the header limit counts each alone."""
    with httpx.Client(base_url=service[0]) as client:
        for _ in range(10):
            assert client.post("/predict", content=digits[0], headers={"X-Filler": "x" * 3000}).status_code == 200
            assert client.post("/predict", content=b"x" * 100_000).status_code == 422
            assert client.post("/predict", content=b"x" * 100_000, headers={"Content-Type": "a/b"}).status_code == 415
            assert client.post("/nowhere", content=b"x" * 100_000).status_code == 404


@pytest.mark.parametrize(
    ("path", "media_type", "expected"),
    [
        ("/predict", "image/png", (413, "body_too_large")),
        ("/predict", "text/plain", (415, "unsupported_media_type")),
        ("/predict?threshold=2", "image/png", (422, "invalid_parameter")),
        ("/nowhere", "image/png", (404, "not_found")),
    ],
)
def test_a_client_that_writes_on_sees_an_early_refusal(service, path, media_type, expected):
    """An answer that is there before the body's end is seen by a client that sends all of it and then closes."""
    request = urllib.request.Request(service[0] + path, b"x" * 20_000_000, {"Content-Type": media_type})
    for _ in range(3):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(request, timeout=30)
        with refused.value as answer:
            assert (answer.status, json.loads(answer.read())["error"]["code"]) == expected


def test_a_chunked_body_over_the_limit_is_refused(service):
    """Without a length the limit is found on the way, and the answer is seen all the same."""
    with httpx.Client(base_url=service[0], timeout=30) as client:
        response = client.post("/predict", content=(b"x" * 100_000 for _ in range(200)))
    assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


def test_a_client_that_waits_for_our_word_is_refused_before_it_sends(connect):
    """With Expect: 100-continue and a length over the limit the answer is 413 at once, and the connection closes."""
    answer = read_all(connect(post(b"", b"Expect: 100-continue", length=2_000_000)))
    assert refusal(answer) == (413, "body_too_large")


def test_a_client_that_waits_for_our_word_gets_it(connect, digits):
    """With Expect: 100-continue and a picture, the body is asked for and answered."""
    connection = connect(post(b"", b"Expect: 100-continue", b"Connection: close", length=len(digits[0])))
    assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
    connection.sendall(digits[0])
    assert statuses(read_all(connection)) == [200]


def test_pipelined_requests_are_answered_in_order(connect, digits):
    """Good and bad requests that come at once are answered one by one, in their order."""
    data = (post(digits[0]) + post(b"x") + b"GET /nowhere HTTP/1.1\r\nHost: a\r\n\r\n") * 20
    connection = connect(data + b"GET /health/live HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
    assert statuses(read_all(connection)) == [200, 422, 404] * 20 + [200]


@pytest.mark.parametrize("rest", [b"nonsense\r\n\r\n", b"GET /health/live HTTP/1.1\r\nX: "])
def test_what_is_wrong_behind_a_request_does_not_take_its_answer(connect, digits, rest):
    """A request is answered though nonsense, or headers that never end, follow it on its connection."""
    assert statuses(read_all(connect(post(digits[0]) + rest)))[:1] == [200]


def test_a_flood_of_pipelined_requests_is_held_back(service, connect):
    """While requests wait for their turn nothing more is read: the sender is stopped long before it has sent all.

    Since it never reads it is cut off in the end.
    """
    connection = connect()
    connection.settimeout(2)
    flood = b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n" * 25_000  # 1 MB a piece, and the answers are never read
    before = resident(service[1])
    with pytest.raises(TimeoutError):
        connection.sendall(flood * 100)
    assert resident(service[1]) - before < 60_000_000
    assert httpx.get(service[0] + "/health/live").status_code == 200
    connection.settimeout(20)
    with pytest.raises(ConnectionError):
        connection.sendall(flood * 100)


def test_answers_that_nobody_reads_end_their_connection(service):
    """Even such as the system would hold for us: 0.8 MB."""
    with socket.socket() as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        connection.connect(("127.0.0.1", int(service[0].rpartition(":")[2])))
        connection.sendall(10 * b"GET /openapi.json HTTP/1.1\r\nHost: a\r\n\r\n")
        ended = select.poll()
        ended.register(connection, select.POLLRDHUP)
        assert ended.poll(20_000)


def resident(pid: int) -> int:
    """A process's resident memory in bytes."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def test_bodies_that_never_end_keep_nobody_out(service, connect, digits):
    """More half bodies than the queue takes pictures leave the service open, and go when they are due."""
    half = [connect(post(b"x", length=100)) for _ in range(1030)]
    assert httpx.post(service[0] + "/predict", content=digits[0]).status_code == 200
    assert {refusal(read_all(connection)) for connection in half} == {(408, "request_timeout")}


def test_callers_that_cut_their_connection_leave_no_error(service, connect, digits):
    """After resets in the middle of headers, body and answers the service answers, with no fault of ours counted."""
    for data in (b"GET / HT", post(digits[0], length=10_000), post(digits[0]) * 50):
        connection = connect(data)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # close is a reset
        connection.close()
    assert httpx.post(service[0] + "/predict", content=digits[0]).status_code == 200
    assert 'status="500"' not in httpx.get(service[0] + "/metrics").text
