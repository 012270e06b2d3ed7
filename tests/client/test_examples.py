"""The callers of examples/clients against a real service, with faults in between where they are to survive them."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from faults import Answering, Proxy, refusal
from running import Running

CALLERS = Path(__file__).parents[2] / "examples" / "clients"
DIGIT = "7.png: 7, right with a probability of 0."


def said(*command: str) -> list[str]:
    """The lines that a program prints, which ends well and says nothing else."""
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def node() -> str:
    """The program `node`."""
    return shutil.which("node") or pytest.skip("there is no node")


def test_python_reads_digits_and_a_field(service: Running) -> None:
    """What fails is a code at its place, and a refusal ends it with one."""
    lines = said(sys.executable, str(CALLERS / "call.py"), "--url", service.url)
    assert lines.pop(0).startswith(DIGIT)
    assert lines == [
        "7.png: 7",
        "photo-of-a-4.jpg: 4",
        "none.png: unreadable_picture",
        "zip.png: 85615, accepted",
        "refused: invalid_image",
    ]


def test_python_says_why_there_is_no_service() -> None:
    """One line on standard error, and exit code 1."""
    done = subprocess.run(
        [sys.executable, str(CALLERS / "call.py"), "--url", "http://127.0.0.1:1"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={**os.environ, "NO_PROXY": "*"},
    )
    assert done.returncode == 1
    assert "[connection_failed]" in done.stderr


def test_a_shell_reads_digits_and_a_field(service: Running) -> None:
    """Four answers, the last an error with its code."""
    digit, many, field, error = map(json.loads, said("bash", str(CALLERS / "call.sh"), service.url))
    assert digit["digit"] == 7
    assert [one["digit"] for one in many["results"]] == [7, 4]
    assert (field["text"], field["accepted"]) == ("85615", True)
    assert error["error"]["code"] == "invalid_image"


def test_a_shell_tries_again_and_sends_its_key(
    answering: Callable[..., Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 429 with Retry-After; the key is in every request."""
    monkeypatch.setenv("LENET5_API_KEY", "k1")
    server = answering(refusal(429, "queue_full", Retry_After="1"), refusal(422, "invalid_image"))
    assert len(said("bash", str(CALLERS / "call.sh"), server.url)) == 4
    assert len(server.requests) == 5
    assert server.requests[1].at - server.requests[0].at >= 1
    assert {request.headers["x-api-key"] for request in server.requests} == {"k1"}


def test_javascript_reads_digits_and_a_field(proxy: Callable[..., Proxy]) -> None:
    """Through a connection that is dropped, one that is reset and one that is cut short."""
    between = proxy("drop", "reset", "truncate")
    lines = said(node(), str(CALLERS / "call.mjs"), between.url)
    assert lines.pop(0).startswith(DIGIT)
    assert lines == ["7", "4", "zip.png: 85615, accepted", "refused: invalid_image"]
    assert between.connections >= 4


def test_javascript_waits_and_sends_its_key(
    answering: Callable[..., Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a 503 with Retry-After; what would fail again ends it."""
    monkeypatch.setenv("LENET5_API_KEY", "k1")
    server = answering(refusal(503, "draining", Retry_After="1"), refusal(401, "unauthorized"))
    done = subprocess.run(
        [node(), str(CALLERS / "call.mjs"), server.url], capture_output=True, text=True, check=False, timeout=60
    )
    assert done.returncode == 1
    assert "unauthorized" in done.stderr
    first, second = server.requests
    assert second.at - first.at >= 1
    assert second.headers["x-api-key"] == "k1"
