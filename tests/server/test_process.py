"""The service as a process on a real socket: start, drain, exit codes, connections, workers."""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

PNG = {"Content-Type": "image/png"}


class Running:
    """A `lenet5 serve` process that says where it listens."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self.process = process
        self.log = log
        first = process.stderr.readline()
        found = re.search(r"http://127\.0\.0\.1:(\d+)", first)
        assert found, first + log.read_text()
        self.port = int(found[1])
        self.url = found[0]

    def stop(self, sig: int = signal.SIGTERM) -> int:
        """Send a signal and wait for the exit code."""
        self.process.send_signal(sig)
        return self.process.wait(30)

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=20)


def command(*options: str) -> list[str]:
    return [sys.executable, "-m", "app", "serve", "--port", "0", "--device", "cpu", *options]


@pytest.fixture
def serve(model_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`serve("--option", "value")`: a running service, ended with the test."""
    with contextlib.ExitStack() as stack:

        def start(*options: str) -> Running:
            log = tmp_path / f"log-{time.monotonic_ns()}"
            output = stack.enter_context(log.open("w"))
            process = subprocess.Popen(
                command("--model-dir", str(model_dir), *options), stdout=output, stderr=subprocess.PIPE, text=True
            )
            stack.enter_context(process)
            stack.callback(process.kill)
            return Running(process, log)

        yield start


def read_all(connection: socket.socket) -> bytes:
    """What comes until the other side closes."""
    parts = []
    with contextlib.suppress(ConnectionResetError):
        while part := connection.recv(65536):
            parts.append(part)
    return b"".join(parts)


def refusal(answer: bytes) -> tuple[int, str]:
    """Status and code of one raw HTTP answer in our shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    assert b"x-request-id: " in head
    return int(head.split()[1]), json.loads(body)["error"]["code"]


def test_sigterm_answers_what_was_accepted_and_exits_0(serve, digits):
    """A request that is under way when SIGTERM comes gets its answer, new connections get none, the exit code is 0."""
    running = serve("--max-batch-delay", "1")
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url) as client:
        answer = pool.submit(client.post, "/predict", content=digits[0])
        wait_for_depth(running, 1)
        assert running.stop() == 0
        assert answer.result().status_code == 200
    with pytest.raises(OSError, match="refused"):
        running.connect()
    assert running.process.stderr.read() == ""


def wait_for_depth(running: Running, depth: int) -> None:
    """Wait until that many pictures are queued."""
    for _ in range(500):
        if f'lenet5_queue_depth{{model="lenet5"}} {depth}.0' in httpx.get(running.url + "/metrics").text:
            return
        time.sleep(0.01)
    raise AssertionError("the pictures never queued")


def test_while_draining_it_is_not_ready_and_serves(serve, digits):
    """During drain_delay /health/ready is 503 on new connections, and pictures are still answered."""
    running = serve("--drain-delay", "2")
    running.process.send_signal(signal.SIGTERM)
    ready = httpx.get(running.url + "/health/ready")
    assert (ready.status_code, ready.json()["error"]["code"]) == (503, "not_ready")
    assert httpx.post(running.url + "/predict", content=digits[0]).status_code == 200
    assert running.process.wait(30) == 0


def test_what_is_left_at_the_end_of_the_drain_gets_503(serve, digits):
    """A request that cannot be answered within drain_timeout, and one whose body never ends, are told so."""
    running = serve("--max-batch-delay", "600", "--drain-timeout", "0.5")
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url, timeout=30) as client:
        waiting = pool.submit(client.post, "/predict", content=digits[0])
        wait_for_depth(running, 1)
        with running.connect() as half:
            half.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            time.sleep(0.2)
            assert running.stop() == 0
            assert refusal(read_all(half)) == (503, "draining")
        assert (waiting.result().status_code, waiting.result().json()["error"]["code"]) == (503, "draining")


def test_ctrl_c_drains_too_and_a_second_one_leaves_at_once(serve, digits):
    """SIGINT exits with 0; a second one does not wait for what is under way."""
    assert serve().stop(signal.SIGINT) == 0
    running = serve("--max-batch-delay", "600", "--drain-timeout", "600")
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url, timeout=30) as client:
        pool.submit(client.post, "/predict", content=digits[0])
        wait_for_depth(running, 1)
        running.process.send_signal(signal.SIGINT)
        time.sleep(0.3)
        assert running.process.poll() is None
        running.stop(signal.SIGINT)


def break_weights(folder: Path) -> None:
    weights = folder / "lenet5" / "1" / "model.safetensors"
    content = bytearray(weights.read_bytes())
    content[-1] ^= 1
    weights.write_bytes(content)


@pytest.mark.parametrize("workers", ["1", "2"])
def test_broken_weights_stop_the_start_with_one_line(model_dir, tmp_path, workers):
    """With one flipped bit in the weights the exit code is 1, and standard error is the one line that says so."""
    folder = tmp_path / "models"
    shutil.copytree(model_dir, folder)
    break_weights(folder)
    done = subprocess.run(
        command("--model-dir", str(folder), "--workers", workers),
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 1
    assert "SHA-256" in done.stderr


@pytest.mark.parametrize(
    ("options", "variables", "exit_code", "words"),
    [
        (["--workers", "0"], {}, 2, "--workers (LENET5_WORKERS)"),
        (["--bogus", "1"], {}, 2, "--bogus"),
        ([], {"LENET5_MAX_BATCH_SIZE": "0"}, 2, "--max-batch-size (LENET5_MAX_BATCH_SIZE)"),
        ([], {"LENET5_PICTURE_FORMATS": "png,psd"}, 2, "psd"),
        (["--model-dir", "/nowhere"], {}, 1, "/nowhere"),
        (["--digit-model", "other"], {}, 1, "other"),
        (["--host", "192.0.2.1"], {}, 1, "192.0.2.1"),
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_line(model_dir, options, variables, exit_code, words):
    """A wrong option or variable exits with 2, what is missing with 1, each with one line on standard error."""
    done = subprocess.run(
        command(*(["--model-dir", str(model_dir)] if "--model-dir" not in options else []), *options),
        env={**os.environ, **variables},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode, len(done.stderr.splitlines())) == (exit_code, 1), done.stderr
    assert words in done.stderr


def test_slow_and_oversized_headers_end_their_connection_only(serve, digits):
    """Silence is closed, half headers get 408, too many get 431, nonsense 400, a slow body 408; others are served."""
    running = serve("--header-timeout", "1", "--body-timeout", "1", "--max-header-bytes", "4096")
    with contextlib.ExitStack() as stack:
        silent, half, slow_body, large, endless, nonsense = (stack.enter_context(running.connect()) for _ in range(6))
        half.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
        slow_body.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
        large.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000 + b"\r\n\r\n")
        endless.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 5000)
        nonsense.sendall(b"\x16\x03\x01\x00nonsense\r\n\r\n")
        assert httpx.post(running.url + "/predict", content=digits[0]).status_code == 200
        assert read_all(silent) == b""
        assert refusal(read_all(half)) == (408, "request_timeout")
        assert refusal(read_all(large)) == (431, "headers_too_large")
        assert refusal(read_all(endless)) == (431, "headers_too_large")
        assert refusal(read_all(nonsense)) == (400, "malformed_request")
        assert refusal(slow_body.recv(65536)) == (408, "request_timeout")


def test_a_kept_connection_is_used_again(serve, digits):
    """Requests on one connection, small and large, are each answered; the header limit counts each alone."""
    running = serve("--max-header-bytes", "1024")
    with httpx.Client(base_url=running.url) as client:
        for _ in range(30):
            assert client.post("/predict", content=digits[0], headers={"X-Filler": "x" * 500}).status_code == 200
            assert client.post("/predict", content=b"x" * 100_000).status_code == 422


def test_a_body_over_its_limit_is_refused_where_the_client_can_see_it(serve):
    """A body of 20 MB, with its length or in chunks, is read to its end and answered 413."""
    running = serve("--max-body-bytes", "1000")
    with httpx.Client(base_url=running.url, timeout=30) as client:
        for content in (b"x" * 20_000_000, (b"x" * 100_000 for _ in range(200))):
            response = client.post("/predict", content=content, headers=PNG)
            assert (response.status_code, response.json()["error"]["code"]) == (413, "body_too_large")


def test_a_client_that_waits_for_our_word_is_refused_before_it_sends(serve):
    """With Expect: 100-continue and a length over the limit, the answer is 413 without the body."""
    running = serve("--max-body-bytes", "1000")
    with running.connect() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000\r\nExpect: 100-continue\r\n\r\n"
        )
        assert connection.recv(65536).startswith(b"HTTP/1.1 413 ")


def test_a_caller_that_goes_away_is_skipped(serve, digits):
    """A request whose connection is cut while it waits is counted as 499 and never reaches a forward pass."""
    running = serve("--max-batch-delay", "1")
    with running.connect() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(digits[0]) + digits[0]
        )
        wait_for_depth(running, 1)
    for _ in range(500):
        text = httpx.get(running.url + "/metrics").text
        if 'lenet5_requests_total{endpoint="/predict",status="499"} 1.0' in text:
            break
        time.sleep(0.01)
    assert 'status="499"} 1.0' in text
    wait_for_depth(running, 0)
    assert 'lenet5_batch_size_sum{model="lenet5"} 0.0' in httpx.get(running.url + "/metrics").text


def test_health_command(serve):
    """`lenet5 health URL` exits with 0 when ready, 1 when nothing answers, 2 when it is no URL."""
    running = serve()

    def health(url: str) -> int:
        return subprocess.run(
            [sys.executable, "-m", "app", "health", url], check=False, capture_output=True, timeout=30
        ).returncode

    assert health(running.url) == 0
    assert running.stop() == 0
    assert health(running.url) == 1
    assert health("nonsense") == 2


def test_several_workers_count_together_and_one_may_die(serve, digits):
    """With three workers /metrics equals the client's own count; a killed one is replaced; SIGTERM exits with 0."""
    running = serve("--workers", "3")

    def send(_: int) -> int:
        return httpx.post(running.url + "/predict", content=digits[0]).status_code  # a connection each: any worker

    def counted() -> float:
        text = httpx.get(running.url + "/metrics").text
        return float(re.search(r'lenet5_requests_total\{endpoint="/predict",status="200"\} (\S+)', text)[1])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(100))) == {200}
        assert counted() == 100
        os.kill(children(running.process.pid)[0], signal.SIGKILL)
        for _ in range(600):
            if len(children(running.process.pid)) == 3 and "worker died" in running.log.read_text():
                break
            time.sleep(0.05)
        assert len(children(running.process.pid)) == 3
        assert set(pool.map(send, range(50))) == {200}
        assert counted() == 150
    assert running.stop() == 0
    assert running.process.stderr.read() == ""


def children(pid: int) -> list[int]:
    """The worker processes of a supervisor."""
    listed = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return [int(c) for c in listed if b"spawn_main" in Path(f"/proc/{c}/cmdline").read_bytes()]


def test_workers_leave_when_their_supervisor_is_gone(serve):
    """When the supervisor is killed, its workers drain by themselves and free the port."""
    running = serve("--workers", "2")
    workers = children(running.process.pid)
    running.stop(signal.SIGKILL)
    for _ in range(600):
        if not any(Path(f"/proc/{pid}").exists() for pid in workers):
            break
        time.sleep(0.05)
    with pytest.raises(OSError, match="refused"):
        running.connect()


def test_uvicorn_serves_the_same_application(model_dir, digits):
    """`uvicorn app.main:app`, without our command, answers a picture alike."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "uvicorn", "app.main:app", "--port", str(port)],
        env={**os.environ, "LENET5_MODEL_DIR": str(model_dir)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with process:
        try:
            for _ in range(300):
                with contextlib.suppress(httpx.TransportError):
                    response = httpx.post(f"http://127.0.0.1:{port}/predict", content=digits[0])
                    break
                time.sleep(0.1)
            assert response.json()["model"] == {"name": "lenet5", "version": "1"}
        finally:
            process.terminate()


def test_no_picture_is_ever_in_the_log(serve, digits):
    """With every log line on, good and bad requests leave no byte of a picture in the log."""
    running = serve("--log-level", "debug", "--access-log")
    secret = b"SECRET-PIXELS"
    httpx.post(running.url + "/predict", content=digits[0])
    httpx.post(running.url + "/predict", content=digits[0][:100] + secret)
    httpx.post(running.url + "/predict", files={"file": secret})
    assert running.stop() == 0
    log = running.log.read_text()
    assert log.count("/predict") == 3
    assert "SECRET" not in log
