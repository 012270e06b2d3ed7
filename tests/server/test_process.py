"""The service as one process: start, drain, exit codes, the health command, the log."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import pytest
from running import attempt, command, flip_a_bit, started, until

LATE = "600"
"""Seconds that never pass in a test."""


def test_sigterm_answers_what_was_accepted_and_exits_0(serve, digits):
    """A request that is under way when SIGTERM comes gets its answer, new connections get none, the exit code is 0."""
    running = serve("--max-batch-delay", "3")
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url, timeout=30) as client:
        answer = pool.submit(client.post, "/predict", content=digits[0])
        running.queued(1)
        assert running.stop() == 0
        assert answer.result().status_code == 200
    assert running.refuses()
    assert running.process.stderr.read() == ""


def test_while_draining_it_is_not_ready_and_serves(serve, digits):
    """During drain_delay /health/ready is 503 on new connections, pictures are still answered; Ctrl-C cuts it short."""
    running = serve("--drain-delay", LATE)
    running.process.send_signal(signal.SIGTERM)
    until(lambda: httpx.get(running.url + "/health/ready").status_code == 503)
    assert httpx.get(running.url + "/health/ready").json()["error"]["code"] == "not_ready"
    assert httpx.post(running.url + "/predict", content=digits[0]).status_code == 200
    assert running.stop(signal.SIGINT) == 0


def test_what_is_left_at_the_end_of_the_drain_gets_503(serve, digits):
    """A request that cannot be answered within drain_timeout, and one whose body never ends, are told so."""
    running = serve("--max-batch-delay", LATE, "--body-timeout", LATE, "--drain-timeout", "0.5")
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url, timeout=30) as client:
        waiting = pool.submit(client.post, "/predict", content=digits[0])
        with running.connect() as half:
            half.sendall(b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: 100\r\n\r\nhalf")
            running.queued(1)  # asked on a later connection: the half request has been read too
            assert running.stop(signal.SIGINT) == 0
            answer = half.recv(65536)
        assert answer.startswith(b"HTTP/1.1 503 ")
        assert b'"draining"' in answer
        assert (waiting.result().status_code, waiting.result().json()["error"]["code"]) == (503, "draining")


def test_a_forward_pass_that_hangs_does_not_outlive_the_drain(model_dir, digits, tmp_path):
    """With a forward pass that never ends the caller gets 503, and the process still exits with 0."""
    script = (
        "import pathlib, sys, time\n"
        "from app.main import create_app\n"
        "from app.runtime.onnx import OnnxBackend\n"
        "from app.server import bind, serve\n"
        "from app.settings import Settings\n"
        "settings = Settings(port=0, device='cpu', drain_timeout=0)\n"
        "OnnxBackend.inline = 0  # as of every device that may hang\n"
        "app, listener = create_app(settings), bind(settings)\n"
        "OnnxBackend.infer = lambda *_: pathlib.Path(sys.argv[1]).touch() or time.sleep(600)\n"
        "where = lambda: print(listener.getsockname()[1], file=sys.stderr, flush=True)\n"
        "serve(app, listener, settings, listening=where)\n"
    )
    hangs = tmp_path / "hangs"
    run = [sys.executable, "-c", script, str(hangs)]
    with ThreadPoolExecutor(1) as pool, started(run, env={**os.environ, "LENET5_MODEL_DIR": str(model_dir)}) as process:
        url = f"http://127.0.0.1:{process.stderr.readline().strip()}"
        answer = pool.submit(httpx.post, url + "/predict", content=digits[0], timeout=30)
        until(hangs.exists)
        process.terminate()
        assert answer.result().status_code == 503
        assert process.wait(30) == 0


@pytest.mark.parametrize(("workers", "sig"), [("1", signal.SIGTERM), ("1", signal.SIGINT), ("2", signal.SIGINT)])
def test_a_signal_during_the_start_ends_it_silently(own_models, workers, sig):
    """While models load nothing listens, and SIGTERM, or Ctrl-C at every process of the terminal, exits with 0."""
    weights = own_models / "lenet5" / "1" / "model.safetensors"
    weights.unlink()
    os.mkfifo(weights)  # whoever reads the weights waits
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    options = ["--model-dir", str(own_models), "--workers", workers]
    with started(command(*options, port=port), start_new_session=True) as process:
        until(lambda: can_write(weights))
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port))
        os.killpg(process.pid, sig)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


def can_write(fifo: os.PathLike[str]) -> bool:
    """Whether somebody reads it; if so they read on."""
    with contextlib.suppress(OSError):
        os.open(fifo, os.O_WRONLY | os.O_NONBLOCK)  # never closed: its reader would see the end
        return True
    return False


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_during_the_imports_ends_it_silently(tmp_path, sig):
    """A signal that comes while the command line itself is still being imported exits with 0."""
    (tmp_path / "cyclopts.py").write_text(
        f"import pathlib, time; pathlib.Path({str(tmp_path)!r}, 'imports').touch(); time.sleep(600)"
    )
    with started(command(), env={**os.environ, "PYTHONPATH": str(tmp_path)}) as process:
        until((tmp_path / "imports").exists)
        process.send_signal(sig)
        assert process.wait(30) == 0
        assert process.stderr.read() == ""


@pytest.mark.parametrize("workers", ["1", "2"])
def test_broken_weights_stop_the_start_with_one_line(own_models, workers):
    """With one flipped bit in the weights the exit code is 1, and standard error is the one line that says so."""
    flip_a_bit(own_models / "lenet5" / "1")
    code, lines = attempt("--model-dir", str(own_models), "--workers", workers)
    assert (code, len(lines)) == (1, 1), lines
    assert "SHA-256" in lines[0]


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_fault_of_ours_stops_the_start_with_one_line(model_dir, tmp_path, workers):
    """When an import of ours fails, one process and several say so alike: exit code 1, one line."""
    (tmp_path / "onnxruntime.py").write_text("raise OSError('no disk')")
    code, lines = attempt("--model-dir", str(model_dir), "--workers", workers, PYTHONPATH=str(tmp_path))
    assert (code, lines) == (1, ["lenet5: a fault of ours: OSError: no disk; the log has more"])


@pytest.mark.parametrize(
    ("options", "variables", "exit_code", "words"),
    [
        (["--workers", "0"], {}, 2, "--workers (LENET5_WORKERS)"),
        (["--bogus", "1"], {}, 2, "--bogus"),
        (["--host", ""], {}, 2, "--host (LENET5_HOST)"),
        ([], {"LENET5_MAX_BATCH_SIZE": "0"}, 2, "--max-batch-size (LENET5_MAX_BATCH_SIZE)"),
        ([], {"LENET5_PICTURE_FORMATS": "png,psd"}, 2, "psd"),
        (["--model-dir", "/nowhere"], {}, 1, "/nowhere"),
        (["--digit-model", "other"], {}, 1, "other"),
        (["--host", "192.0.2.1"], {}, 1, "cannot listen on 192.0.2.1:0"),
        (["--host", "a" * 70], {}, 1, "cannot listen on aaa"),
    ],
)
def test_a_start_that_cannot_be_says_why_in_one_line(model_dir, options, variables, exit_code, words):
    """A wrong option or variable exits with 2, what is missing with 1, each with one line on standard error."""
    code, lines = attempt(
        *(["--model-dir", str(model_dir)] if "--model-dir" not in options else []), *options, **variables
    )
    assert (code, len(lines)) == (exit_code, 1), lines
    assert words in lines[0]


def test_a_port_in_use_is_said_before_the_models_load():
    """A port on which another process listens stops the start, though the model folder would stop it too."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        code, lines = attempt("--model-dir", "/nowhere", port=taken.getsockname()[1])
    assert (code, len(lines)) == (1, 1), lines
    assert "Address already in use" in lines[0]


def test_health_and_the_environment(serve, digits):
    """`lenet5 health` exits with 0 when ready, 1 when nothing answers, 2 when it is no URL; empty variables are unset.

    The counts of a process start at 0, whatever folder prometheus_client is told to keep them in.
    """
    empty = {"LENET5_HOST": "", "LENET5_WORKERS": "", "LENET5_ACCESS_LOG": "", "PROMETHEUS_MULTIPROC_DIR": "/nowhere"}
    running = serve(**empty)
    assert httpx.post(running.url + "/predict", content=digits[0]).status_code == 200
    assert 'lenet5_batch_size_sum{model="lenet5"} 1.0' in running.metrics()

    def health(*url: str, **variables: str) -> tuple[int, int]:
        """Exit code, and the number of lines on standard error."""
        done = subprocess.run(
            [sys.executable, "-m", "app", "health", *url],
            env={**os.environ, **variables},
            check=False,
            capture_output=True,
            text=True,
            timeout=30,
        )
        return done.returncode, len(done.stderr.splitlines())

    assert health(running.url) == (0, 0)
    assert health(LENET5_HOST="", LENET5_PORT=str(running.port)) == (0, 0)
    assert running.stop() == 0
    assert health(running.url) == (1, 1)
    assert health("nonsense") == health("http://[") == (1, 1)


def test_a_caller_that_goes_away_is_skipped(serve, digits):
    """A request whose connection is cut while it waits is counted as 499 and never reaches a forward pass."""
    running = serve("--max-batch-delay", "3")
    with running.connect() as connection:
        connection.sendall(
            b"POST /predict HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(digits[0]) + digits[0]
        )
        running.queued(1)
    until(lambda: 'lenet5_requests_total{endpoint="/predict",status="499"} 1.0' in running.metrics())
    running.queued(0)
    assert 'lenet5_batch_size_sum{model="lenet5"} 0.0' in running.metrics()


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
