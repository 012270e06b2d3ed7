"""Promise 4: a body over the limit is answered, whoever sends it and however long it takes them."""

import json
import subprocess
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPException
from tempfile import NamedTemporaryFile
from urllib.parse import urlsplit

import httpx
import requests

from benchmarks.reliability.memory import growth
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, control, service

SIZE = 300_000_000
PIECE = bytes(1_000_000)
HEADERS = {"Content-Type": "image/png"}

Answer = tuple[int, bytes]  # status, body


def _pieces() -> Iterator[bytes]:
    for _ in range(SIZE // len(PIECE)):
        yield PIECE


def _headers(chunked: bool) -> dict[str, str]:
    return HEADERS if chunked else HEADERS | {"Content-Length": str(SIZE)}


def _httpx(url: str, chunked: bool) -> Answer:
    answer = httpx.post(url, content=_pieces(), headers=_headers(chunked), timeout=60)
    return answer.status_code, answer.content


class _Sized:
    """A body that requests sends with a length, piece by piece."""

    def __len__(self) -> int:
        return SIZE

    def __iter__(self) -> Iterator[bytes]:
        return _pieces()


def _requests(url: str, chunked: bool) -> Answer:
    answer = requests.post(url, _pieces() if chunked else _Sized(), headers=HEADERS, timeout=60)
    return answer.status_code, answer.content


def _http_client(url: str, chunked: bool) -> Answer:
    connection = HTTPConnection(urlsplit(url).netloc, timeout=60)
    connection.request("POST", "/predict", _pieces(), _headers(chunked), encode_chunked=chunked)
    answer = connection.getresponse()
    return answer.status, answer.read()


def _curl(url: str, chunked: bool) -> Answer:
    """It waits for no word of ours before it sends, as a `100 Continue` would be the easy way out."""
    command = ["curl", "--silent", "--show-error", "--max-time", "60", "--write-out", "\n%{http_code}"]
    command += ["--header", "Expect:", "--header", "Content-Type: image/png", "--request", "POST", url]
    with NamedTemporaryFile() as file:
        file.truncate(SIZE)  # all of it a hole
        what = "-" if chunked else file.name  # of its standard input it does not know the length
        done = subprocess.run([*command, "--upload-file", what], stdin=file, capture_output=True, check=False)
    if done.returncode:
        raise OSError(done.stderr.decode().strip())
    body, _, status = done.stdout.rpartition(b"\n")
    return int(status), body


CLIENTS: tuple[Callable[[str, bool], Answer], ...] = (_httpx, _requests, _http_client, _curl)


def _fault(url: str, case: int) -> str | None:
    """What is wrong with the answer that a client saw; None when it is the one that was promised."""
    client, chunked = CLIENTS[case % len(CLIENTS)], bool(case // len(CLIENTS) % 2)
    who = f"{client.__name__[1:]}{' chunked' * chunked}"
    try:
        status, body = client(url + "/predict", chunked)
        code = json.loads(body)["error"]["code"]
    except (OSError, HTTPException, httpx.TransportError, ValueError, KeyError, TypeError) as error:
        return f"{who}: {type(error).__name__} {error}"[:100]
    return None if (status, code) == (413, "body_too_large") else f"{who}: {status} {code}"


def _measure(running: Running, ask: Ask) -> Trial:
    with growth(running.pid) as grown:
        found = [_fault(running.url, case) for case in range(ask.start, ask.start + ask.amount)]
        faults = [fault for fault in found if fault]
        return Trial(ask.amount, len(faults), {"memory": grown()}, tuple(faults))


def _keep(ask: Ask) -> Trial:
    with service() as running:
        return _measure(running, ask)


def _control(ask: Ask) -> Trial:
    with control("early_limit") as running:
        return _measure(running, ask)


PROMISE = Promise(
    number=4,
    name="too-large",
    says="a body of 300 MB, with a length or chunked, is answered 413 in our JSON, seen by httpx, requests, "
    "http.client and curl",
    unit="uploads",
    full=100,
    small=8,
    portion=24,
    bounds={"memory": Bound("MB more", most=16)},
    keep=_keep,
    control=_control,
    against="FastAPI that answers 413 at once and closes",
)
