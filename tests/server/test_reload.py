"""Models replaced under a running service: by SIGHUP, by looking at the folder, in several workers."""

import os
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest
from running import Running, until

from benchmarks.reliability.two_models import remove, write_constant


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model folder with lenet5:1, which says 1 of every picture."""
    folder = tmp_path / "models"
    write_constant(folder, version=1, digit=1)
    return folder


def said(running: Running, picture: bytes) -> tuple[int, str]:
    """The digit and the version of an answer, on a connection of its own: any worker's."""
    answer = httpx.post(running.url + "/predict", content=picture, timeout=30).json()
    return answer["digit"], answer["model"]["version"]


def all_say(running: Running, picture: bytes, expected: tuple[int, str]) -> Callable[[], bool]:
    """Whether 20 answers in a row are this one."""
    return lambda: all(said(running, picture) == expected for _ in range(20))


@contextmanager
def asking(running: Running, picture: bytes) -> Iterator[Counter]:
    """Answers that somebody gets all the while: (status, digit, version)."""
    answers, done = Counter(), threading.Event()

    def ask() -> None:
        with httpx.Client(base_url=running.url, timeout=30) as client:
            while not done.is_set():
                response = client.post("/predict", content=picture)
                answer = response.json()
                answers[response.status_code, answer.get("digit"), answer.get("model", {}).get("version")] += 1

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    try:
        yield answers
    finally:
        done.set()
        for thread in threads:
            thread.join()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_sighup_serves_what_the_folder_holds_under_load(serve, models, digits, workers):
    """Versions come, are replaced and go; callers get an answer to every request meanwhile, of the version it names."""
    running = serve("--workers", workers, "--model-dir", str(models))
    with asking(running, digits[0]) as answers:
        for version in (2, 3):
            write_constant(models, version=version, digit=version)
            running.process.send_signal(signal.SIGHUP)
            until(all_say(running, digits[0], (version, str(version))))
        remove(models / "lenet5" / "3")
        running.process.send_signal(signal.SIGHUP)
        until(all_say(running, digits[0], (2, "2")))
    assert set(answers) <= {(200, 1, "1"), (200, 2, "2"), (200, 3, "3")}
    assert running.stop() == 0


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_watched_folder_needs_no_signal(serve, models, digits, workers):
    """With model_poll a version that appears is served by every worker."""
    running = serve("--workers", workers, "--model-dir", str(models), "--model-poll", "0.1")
    write_constant(models, version=2, digit=2)
    until(all_say(running, digits[0], (2, "2")))


def test_a_replacement_serves_what_the_others_serve(serve, models, digits):
    """After a reload that a corrupt version was part of, a worker that replaces a dead one serves as the others do."""
    running = serve("--workers", "2", "--model-dir", str(models))

    def kill_one() -> None:
        ready = running.log.count("worker serves")
        os.kill(running.workers[0], signal.SIGKILL)
        until(lambda: running.log.count("worker serves") > ready)

    write_constant(models, version=2, digit=2)
    running.process.send_signal(signal.SIGHUP)
    until(all_say(running, digits[0], (2, "2")))
    until(lambda: running.log.count("models changed") == 2)
    (write_constant(models, version=3, digit=3) / "model.onnx").write_bytes(b"corrupt")
    (models / "lenet5" / "2" / "model.onnx").write_bytes(b"corrupt")
    running.process.send_signal(signal.SIGHUP)
    until(lambda: running.log.count("model left out") == 4)
    kill_one()
    assert all_say(running, digits[0], (2, "2"))()
    write_constant(models, version=4, digit=4)  # which nobody was told of
    kill_one()
    assert all_say(running, digits[0], (2, "2"))()
    assert "lenet5_models_left_out 2.0" in running.metrics()
    running.process.send_signal(signal.SIGHUP)
    until(all_say(running, digits[0], (4, "4")))
