"""Several workers on one socket: counted together, replaced when they die, drained together."""

import fcntl
import json
import os
import re
import shutil
import signal
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest
from running import attempt, flip_a_bit, until

from app.lenet.weights import manifest_json
from app.metrics_folder import PREFIX, sweep


def test_workers_count_together_and_replace_each_other(serve, own_models, tmp_path, digits):
    """/metrics equals the client's own count over the life of several workers, and each serves what the first served.

    What is laid down or broken in the model folder meanwhile changes nothing for a replacement. Only where the copy
    that it serves has broken too it cannot start until that is mended, which disturbs nobody else.
    """
    running = serve("--workers", "2", "--model-dir", str(own_models), TMPDIR=str(tmp_path))
    (copy,) = (folder for folder in tmp_path.glob("lenet5-metrics-*/models/*"))

    def send(_: int) -> tuple[int, str]:
        response = httpx.post(running.url + "/predict", content=digits[0], timeout=30)  # a connection each: any worker
        return response.status_code, response.json()["model"]["version"]

    def counted(endpoint: str = "/predict", status: int = 200) -> float:
        series = re.escape(f'lenet5_requests_total{{endpoint="{endpoint}",status="{status}"}}')
        return float(re.search(series + r" (\S+)", running.metrics())[1])

    with ThreadPoolExecutor(8) as pool:
        assert set(pool.map(send, range(100))) == {(200, "1")}
        assert counted() == 100
        assert [httpx.post(running.url + "/predict", content=b"no picture").status_code for _ in range(9)] == [422] * 9
        assert counted(status=422) == 9
        long = {"X-Long": "x" * 40_000}
        assert [httpx.get(running.url, headers=long).status_code for _ in range(5)] == [431] * 5
        assert counted("unmatched", 431) == 5  # the application has never seen them

        first, second = running.workers
        lay_down_version_2(own_models)
        flip_a_bit(own_models / "lenet5" / "1")
        flip_a_bit(copy)
        os.kill(first, signal.SIGKILL)
        until(lambda: "worker could not start" in running.log)
        assert "SHA-256" in running.log
        assert set(pool.map(send, range(20))) == {(200, "1")}

        flip_a_bit(copy)
        until(lambda: running.log.count("worker serves") == 3)
        os.kill(second, signal.SIGKILL)
        until(lambda: second not in running.workers)
        assert set(pool.map(send, range(20))) == {(200, "1")}  # the replacements' answers
        assert counted() == 140

    until(lambda: running.log.count("worker serves") == 4)
    flip_a_bit(copy)
    failures = running.log.count("worker could not start")
    os.kill(running.workers[0], signal.SIGKILL)
    until(lambda: running.log.count("worker could not start") > failures)
    assert running.stop() == 0  # while it waits to try again
    assert running.process.stderr.read() == ""


def lay_down_version_2(model_dir: Path) -> None:
    """A copy of lenet5:1 as lenet5:2, which would be the default."""
    folder = shutil.copytree(model_dir / "lenet5" / "1", model_dir / "lenet5" / "2")
    manifest = json.loads((folder / "manifest.json").read_text())
    (folder / "manifest.json").write_bytes(manifest_json({**manifest, "version": 2}))


def test_a_drain_refuses_connections_and_a_second_ctrl_c_leaves_at_once(serve, digits):
    """Once workers drain there are no new connections; a second interrupt does not wait for what is under way."""
    running = serve("--workers", "2", "--max-batch-delay", "600", "--drain-timeout", "600")
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(httpx.post, running.url + "/predict", content=digits[0], timeout=60)
        running.queued(1)
        running.process.send_signal(signal.SIGINT)
        until(running.refuses)
        assert running.process.poll() is None
        assert running.stop(signal.SIGINT) == 0
        assert isinstance(waiting.exception(), httpx.TransportError)


def test_workers_that_do_not_react_are_killed_after_the_drain(serve):
    """With both workers stopped SIGTERM still ends the service with 0."""
    running = serve("--workers", "2", "--drain-timeout", "0")
    for worker in running.workers:
        os.kill(worker, signal.SIGSTOP)
    assert running.stop() == 0


@pytest.mark.parametrize("stopped", ["by a signal", "by a handler that blocks"])
def test_a_worker_whose_event_loop_stands_still_is_replaced(serve, tmp_path, digits, stopped):
    """One that is stopped, or that a call on its event loop blocks, is killed; the others, idle or not, are left alone.

    Its place is taken, and nobody else ever stands still for so long.
    """
    (tmp_path / "sitecustomize.py").write_text(
        "import signal, time\nsignal.signal(signal.SIGUSR1, lambda *_: time.sleep(600))\n"
    )
    path = os.pathsep.join([str(tmp_path), os.environ.get("PYTHONPATH", "")])
    running = serve("--workers", "2", PYTHONPATH=path)
    first, second = running.workers
    os.kill(first, signal.SIGSTOP if stopped == "by a signal" else signal.SIGUSR1)
    until(lambda: running.log.count("worker serves") == 3)
    assert "its event loop stood still for 1.5 s" in running.log
    assert running.log.count("worker died") == 1
    assert first not in running.workers
    assert second in running.workers
    assert httpx.post(running.url + "/predict", content=digits[0], timeout=30).status_code == 200
    assert running.stop() == 0


def test_a_worker_that_dies_while_it_starts_stops_the_start(model_dir, tmp_path):
    """A death without a word before all serve is one line and exit code 1."""
    (tmp_path / "onnxruntime.py").write_text("import os; os.kill(os.getpid(), 9)")
    code, lines = attempt("--model-dir", str(model_dir), "--workers", "2", PYTHONPATH=str(tmp_path))
    assert (code, lines) == (1, ["lenet5: a worker died while it started, exit code -9"])


def test_workers_leave_when_their_supervisor_is_gone(serve, tmp_path):
    """When the supervisor is killed, its workers drain by themselves and free the port; its folder can be swept."""
    running = serve("--workers", "2", TMPDIR=str(tmp_path))
    workers = running.workers
    running.stop(signal.SIGKILL)
    until(lambda: not any(Path(f"/proc/{pid}").exists() for pid in workers))
    assert running.refuses()
    assert list(tmp_path.glob(PREFIX + "*"))
    sweep(tmp_path)
    assert not list(tmp_path.glob(PREFIX + "*"))


def test_only_folders_of_dead_supervisors_are_swept(tmp_path):
    """A metrics folder that is locked, or still empty, stays; nothing else is touched."""
    held, empty, dead, other = (tmp_path / name for name in (PREFIX + "1", PREFIX + "2", PREFIX + "3", "other"))
    for folder in (held, empty, dead, other):
        folder.mkdir()
    for folder in (held, dead, other):
        (folder / "counter_1.db").touch()
    lock = os.open(held, os.O_RDONLY)
    fcntl.flock(lock, fcntl.LOCK_EX)
    sweep(tmp_path)
    os.close(lock)
    assert sorted(tmp_path.iterdir()) == sorted([held, empty, other])
