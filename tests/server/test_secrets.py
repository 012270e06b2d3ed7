"""What a running service keeps to itself: keys and pictures are in no log, and proxies are believed by address only."""

import base64
import os
import socket

import httpx
import numpy as np
import pytest
from running import attempt, until

from benchmarks.reliability.secrets_sought import GOOD, MARK, SHADE, WRONG, leaks, marked_picture, requests


def _traffic(url: str) -> list[int]:
    """Requests good, bad, refused, cut off and broken, with every secret in every place; their statuses."""
    picture = marked_picture()
    with httpx.Client(base_url=url, timeout=30) as client:
        answers = [client.post(path, **arguments) for path, arguments in requests(picture)]
    address = httpx.URL(url)
    head = f"Authorization: Bearer {GOOD}\r\nContent-Length: 100000\r\n\r\n".encode()
    for raw in (
        b"POST /predict HTTP/1.1\r\nHost: a\r\n" + head + picture,  # cut off
        b"POST /predict HTTP/1.1\r\nX-API-Key: " + GOOD.encode() + b"\r\nbroken " + MARK + b"\r\n\r\n",
        b"\x89PNG" + MARK + b"\r\n\r\n",
    ):
        with socket.create_connection((address.host, address.port or 80), timeout=20) as connection:
            connection.sendall(raw)
    return [answer.status_code for answer in answers]


@pytest.mark.parametrize(
    ("level", "form"),
    [("debug", "console"), ("debug", "json"), ("info", "json"), ("warning", "console"), ("error", "json")],
)
def test_no_key_and_no_byte_of_a_picture_is_in_any_log(serve, tmp_path, level, form):
    """At every level and in both forms, with a line for each request, neither is in the log or on standard error."""
    keys = tmp_path / "keys"
    keys.write_text(f"bank={GOOD}\n")
    running = serve("--log-level", level, "--log-format", form, "--access-log", LENET5_API_KEYS_FILE=str(keys))
    statuses = _traffic(running.url)
    assert {200, 401, 413, 422, 400} <= set(statuses)
    assert statuses.count(401) == 4
    assert 500 not in statuses
    assert running.stop() == 0
    errors = running.process.stderr.read()
    assert leaks(running.log + errors) == []
    if level in ("debug", "info"):
        assert running.log.count("/predict") >= 10
        assert "bank" in running.log


def test_a_fault_of_ours_shows_no_picture(model_dir, tmp_path, serve):
    """A traceback in the log, in both forms, goes without the variables that hold the picture and the key."""
    (tmp_path / "sitecustomize.py").write_text(
        "import app.api.predict\n"
        "async def one_picture(request, limits, *rest):\n"
        "    picture, headers = await request.body(), dict(request.headers)\n"
        "    raise RuntimeError('planted')\n"
        "app.api.predict.one_picture = one_picture\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    for form in ("console", "json"):
        running = serve("--log-format", form, LENET5_API_KEYS=f"bank={GOOD}", PYTHONPATH=path)
        answer = httpx.post(running.url + "/predict", content=marked_picture(), headers={"X-API-Key": GOOD})
        assert (answer.status_code, "planted" in answer.text) == (500, False)
        assert running.stop() == 0
        assert "planted" in running.log
        assert leaks(running.log) == []


def test_what_looks_for_secrets_finds_them():
    """The search of these tests knows a key and a picture again in each form in which a log may show them."""
    picture, array = marked_picture(), np.full((3, 3), SHADE, np.uint8)
    for shown in (
        GOOD,
        repr(picture),
        base64.b64encode(picture).decode(),
        picture.hex(),
        str(array),
        str(array.tolist()),
    ):
        assert leaks(f"before {shown} after")
    for shift in range(3):
        assert leaks(base64.b64encode(b"-" * shift + picture).decode())
        assert leaks(base64.b64encode(b"-" * shift + GOOD.encode()).decode())
    assert not leaks("POST /predict 200 bank 173.0.0.173")


@pytest.mark.parametrize("workers", ["1", "2"])
def test_every_worker_wants_the_keys_that_held_at_the_start(serve, tmp_path, workers):
    """The file is read once: a worker that replaces a dead one takes the same keys, though the file has changed."""
    keys = tmp_path / "keys"
    keys.write_text(f"bank={GOOD}\n")
    running = serve("--workers", workers, "--api-keys-file", str(keys))
    keys.write_text(f"bank={WRONG}\n")
    if workers == "2":
        before = running.workers
        os.kill(before[0], 9)
        until(lambda: len(running.workers) == 2 and running.workers != before)
    for _ in range(20):  # on connections of their own, to whichever worker takes them
        assert httpx.get(running.url + "/models", headers={"X-API-Key": GOOD}).status_code == 200
        assert httpx.get(running.url + "/models", headers={"X-API-Key": WRONG}).status_code == 401


@pytest.mark.parametrize(
    ("workers", "text"),
    [("1", None), ("1", ""), ("1", "SECRETKEY0123456789"), ("1", "bank=SECRET"), ("2", None), ("2", "bank=SECRET")],
)
def test_keys_that_cannot_be_used_stop_the_start_with_one_line(model_dir, tmp_path, text, workers):
    """A file of keys that is missing, empty or wrong never means that anybody may call; the line quotes no key."""
    keys = tmp_path / "keys"
    if text is not None:
        keys.write_text(text)
    options = ["--model-dir", str(model_dir), "--workers", workers, "--api-keys-file", str(keys)]
    code, lines = attempt(*options)
    assert (code, len(lines)) == (1, 1), lines
    assert "key" in lines[0].lower()
    assert "SECRET" not in lines[0]


@pytest.mark.parametrize(
    ("option", "value", "words"),
    [
        ("--cors-origins", "https://page.example/", "no origin"),
        ("--cors-origins", "page.example", "no origin"),
        ("--forwarded-allow-ips", "*", "--forwarded-allow-ips"),
        ("--forwarded-allow-ips", "10.0.0.1/8", "host bits"),
    ],
)
def test_origins_and_addresses_that_could_never_match_are_refused(option, value, words):
    """An origin with a path, and what is no address, are wrong options."""
    code, lines = attempt(option, value)
    assert (code, len(lines)) == (2, 1), lines
    assert words in lines[0]


@pytest.mark.parametrize(
    ("believed", "client"),
    [("", "127.0.0.1"), ("192.0.2.1", "127.0.0.1"), ("192.0.2.1,127.0.0.0/8", "203.0.113.7")],
)
def test_a_proxy_is_believed_by_its_address_only(serve, believed, client):
    """X-Forwarded-For names the caller in the log only where the connection's own address is one that was named."""
    running = serve("--access-log", "--log-format", "json", LENET5_FORWARDED_ALLOW_IPS=believed)
    httpx.get(running.url + "/models", headers={"X-Forwarded-For": "198.51.100.1, 203.0.113.7"})
    assert running.stop() == 0
    (line,) = [line for line in running.log.splitlines() if '"/models"' in line]
    assert f'"client": "{client}"' in line
