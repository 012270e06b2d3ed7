"""benchmarks.speed: what is made of what wrk, the profiler, Linux and the rounds say, and the page of it."""

import asyncio
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request

from benchmarks.speed import environments, paced, page, pictures, process, wrk
from benchmarks.speed.__main__ import PARTS
from benchmarks.speed.contestants import CONTESTANTS, ROOT
from benchmarks.speed.rounds import Spread, ratio
from benchmarks.speed.stacks import Stacks, function, package

WRK = """Running 2s test @ http://127.0.0.1:9101/predict
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency    26.71ms    4.34ms  62.88ms   92.52%
  Latency Distribution
     50%  950.00us
     75%   27.17ms
     90%   29.67ms
     99%    1.33s
  4786 requests in 2.02s, 2.23MB read
  Socket errors: connect 0, read 2, write 0, timeout 3
  Non-2xx or 3xx responses: 7
Requests/sec:   2370.53
Transfer/sec:      1.10MB
"""


def test_what_wrk_printed() -> None:
    """Its counts, its times in seconds whatever their unit, and every kind of error added up."""
    assert wrk.parse(WRK) == wrk.Load(requests=4786, rate=2370.53, p50=950e-6, p99=1.33, errors=12)


def test_wrk_that_prints_something_else_is_an_error() -> None:
    """Nothing is made up of another output."""
    with pytest.raises(RuntimeError, match="unable to connect"):
        wrk.parse("unable to connect to 127.0.0.1:1 Connection refused")


def test_a_ratio_is_taken_round_by_round() -> None:
    """The median of the ratios, which the ratio of the medians is not."""
    assert ratio([1, 4, 9], [1, 2, 10]) == Spread(median=1.0, low=0.9, high=2.0)
    assert Spread.of([0.002, 0.001, 0.004]).text(".1f", 1e3) == "2.0 (1.0-4.0)"


def test_rounds_that_do_not_match_are_an_error() -> None:
    """Neither rounds of one side only, nor none."""
    with pytest.raises(ValueError, match="shorter"):
        ratio([1, 2], [1])
    with pytest.raises(ValueError, match="no rounds"):
        Spread.of([])


@pytest.mark.parametrize(
    ("received", "status"),
    [
        (b"", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n", 0),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{", 0),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\n{}", 200),
        (b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n", 429),
    ],
)
def test_an_answer_is_whole_when_its_body_is(received: bytes, status: int) -> None:
    """Headers alone, or a part of the body, are no answer."""
    assert paced.whole(received) == status


@contextmanager
def answering(seconds: float) -> Iterator[tuple[str, list[bytes]]]:
    """A server that takes so long for each request and refuses the body b"bad"; its URL, and the bodies it was sent."""
    bodies: list[bytes] = []
    loop, started, stop = asyncio.new_event_loop(), threading.Event(), asyncio.Event()
    ports: list[int] = []

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while head := await reader.readuntil(b"\r\n\r\n"):
            body = await reader.readexactly(int(re.search(rb"Content-Length: (\d+)", head)[1]))
            bodies.append(body)
            await asyncio.sleep(seconds)
            status = b"503 Busy" if body == b"bad" else b"200 OK"
            writer.write(b"HTTP/1.1 " + status + b"\r\nContent-Length: 2\r\n\r\n{}")

    async def quiet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            await answer(reader, writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    async def run() -> None:
        async with await asyncio.start_server(quiet, "127.0.0.1", 0) as server:
            ports.append(server.sockets[0].getsockname()[1])
            started.set()
            await stop.wait()

    thread = threading.Thread(target=loop.run_until_complete, args=(run(),))
    thread.start()
    started.wait()
    try:
        yield f"http://127.0.0.1:{ports[0]}/predict", bodies
    finally:
        loop.call_soon_threadsafe(stop.set)
        thread.join()
        loop.close()


def test_an_open_loop_sends_all_and_counts_refusals(monkeypatch: pytest.MonkeyPatch) -> None:
    """As many requests as the rate asks for, the bodies in turn; an answer other than 200 is an error."""
    monkeypatch.setattr(paced, "CONNECTIONS", 2)
    with answering(0) as (url, bodies):
        found = paced.load(url, [b"good", b"bad"], rate=200, seconds=0.1)
    assert sorted(bodies) == [b"bad"] * 10 + [b"good"] * 10
    assert found.errors == 10


def test_an_open_loop_counts_from_when_a_request_was_due(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten requests due at once over one connection to a server that takes 20 ms each: the last waits for the others."""
    monkeypatch.setattr(paced, "CONNECTIONS", 1)
    monkeypatch.setattr(paced, "PATIENCE", 1000)
    with answering(0.02) as (url, _):
        found = paced.load(url, [b"good"], rate=1000, seconds=0.01)
    assert found.p99 > 0.15
    assert found.errors == 0


STACKS = """thread (1): MainThread;<module> (app/__main__.py:23);Runner.run (asyncio/runners.py:118);a (app/x.py:1) 6
thread (1): MainThread;<module> (app/__main__.py:23);Runner.run (asyncio/runners.py:118);a (app/x.py:2);b (PIL/y.py:3) 2
thread (2): infer;_worker (concurrent/futures/thread.py:83);_WorkItem.run (concurrent/futures/thread.py:58);c (z.py:4) 2
thread (2): infer;_worker (concurrent/futures/thread.py:81) 90
Runner.run (asyncio/runners.py:118);a (app 5
Runner.run (asyn
"""


def test_where_samples_end() -> None:
    """Threads that waited and torn rows are no samples; the shares are of the others."""
    stacks = Stacks.parse(STACKS)
    assert stacks.total == 10
    assert stacks.innermost(2) == {"a (app/x.py:1)": 0.6, "b (PIL/y.py:3)": 0.2}
    assert stacks.packages(9) == {"app": 0.6, "PIL": 0.2, "z": 0.2}
    assert stacks.passed(9, ["app"]) == {"a (app/x.py)": 0.8}


def test_the_tree_of_samples_starts_at_the_work() -> None:
    """On the event loop and on a pool's job, not on how the process was started; lines of a function are one."""
    tree = Stacks.parse(STACKS).tree()
    assert [(child["name"].split()[0], child["share"]) for child in tree["children"]] == [
        ("Runner.run", 0.8),
        ("_WorkItem.run", 0.2),
    ]
    (a,) = tree["children"][0]["children"]
    assert (a["name"], a["share"], [child["share"] for child in a["children"]]) == ("a (app/x.py)", 0.8, [0.2])


def test_the_parts_of_a_frame() -> None:
    """A function without its line, and its package, also of a module that is a file."""
    assert function("Session.run (onnxruntime/capi/x.py:406)") == "Session.run (onnxruntime/capi/x.py)"
    assert [package(frame) for frame in ("f (PIL/Image.py:1)", "g (random.py:8)", "h (PIL/Image.py)")] == [
        "PIL",
        "random",
        "PIL",
    ]


def test_the_memory_and_the_time_of_a_process_and_its_children() -> None:
    """A child that was started counts; a process has memory, and has run."""
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as child:
        here = process.tree(os.getpid())
        assert child.pid in here
        assert 0 < process.pss(child.pid) < process.pss(here[0])
        assert process.peak(child.pid) > 0
        assert process.cpu_seconds(here[0]) > 0
        child.stdin.close()


def test_an_environment_is_made_anew_when_its_requirements_change(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Made once, then taken as it is, until a line of its requirements is another."""
    monkeypatch.setattr(environments, "REQUIREMENTS", tmp_path)
    made = []

    def run(command: list[str]) -> None:
        (tmp_path / "one").mkdir(exist_ok=True)
        made.append(command)

    monkeypatch.setattr(environments, "_run", run)
    for name in ("digits", "one"):
        (tmp_path / f"{name}.txt").write_text("numpy==2.4.6\n")
    environments.python("one", tmp_path)
    once = len(made)
    environments.python("one", tmp_path)
    assert len(made) == once > 0
    (tmp_path / "digits.txt").write_text("numpy==2.4.7\n")
    environments.python("one", tmp_path)
    assert len(made) == 2 * once


def test_an_environment_that_cannot_be_made_says_why(capfd: pytest.CaptureFixture[str]) -> None:
    """On standard error; the reason that the page shows has no path of the machine in it."""
    with pytest.raises(environments.NotInstalled, match=r"^not to be had here$"):
        environments._run([sys.executable, "-c", "raise SystemExit('no such package')"])
    assert "no such package" in capfd.readouterr().err


def test_every_rival_has_its_script_and_its_requirements() -> None:
    """What the table of contestants names is there."""
    rivals = [one for one in CONTESTANTS if one.module]
    assert len(rivals) == 10
    for rival in rivals:
        assert (ROOT / "benchmarks" / "speed" / "rivals" / f"{rival.module}.py").is_file()
        assert (environments.REQUIREMENTS / f"{rival.environment}.txt").is_file()


async def test_a_form_holds_the_picture(digits: list[bytes]) -> None:
    """What is sent as multipart is a form whose field `file` is the PNG."""
    body = pictures.form(digits[0])

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body}

    kind = f"multipart/form-data; boundary={pictures.BOUNDARY}".encode()
    request = Request({"type": "http", "method": "POST", "headers": [(b"content-type", kind)]}, receive)
    async with request.form() as form:
        assert await form["file"].read() == digits[0]


def test_the_page_holds_what_was_kept() -> None:
    """The tables of docs/performance.md are those of the kept results, and every part has its place."""
    text = page.PAGE.read_text()
    emptied = re.sub(r"(<!-- ([a-z-]+) -->\n).*?(<!-- /\2 -->)", r"\1\3", text, flags=re.DOTALL)
    assert page.with_results(emptied, [*PARTS.values()]) == text
    assert all(f"<!-- {name} -->" in text for name in PARTS)


def test_the_page_shows_pictures_that_are_there() -> None:
    """Each picture that is linked."""
    linked = re.findall(r"\]\(figures/([a-z-]+\.png)\)", page.PAGE.read_text())
    assert all((page.FIGURES / name).is_file() for name in linked)
