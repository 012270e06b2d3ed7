"""The commands that call a service, against a real one: --url, models, bench; and what serve says."""

import json
import os
import re
import signal
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.metadata import version
from pathlib import Path

import httpx
import pytest
from running import Running

from app.lenet.registry import default_model_dir

ZIP = Path(__file__).parents[2] / "examples" / "zip.png"


def lenet5(*arguments: object, **variables: str) -> subprocess.CompletedProcess[str]:
    """A command as a process."""
    return subprocess.run(
        [sys.executable, "-m", "app", *map(str, arguments)],
        env={**os.environ, **variables},
        capture_output=True,
        check=False,
        text=True,
        timeout=60,
    )


@pytest.fixture
def folder(tmp_path: Path, digits: list[bytes]) -> Path:
    """40 digits, and two files that are none."""
    folder = tmp_path / "digits"
    folder.mkdir()
    for place, digit in enumerate(digits[:40]):
        (folder / f"{place:02}.png").write_bytes(digit)
    (folder / "none.png").write_bytes(b"none")
    (folder / "broken.png").symlink_to("nowhere.png")
    return folder


def test_a_service_answers_as_this_process_does(serve, model_dir, folder):
    """With --url the same rows come in the same order, bad pictures among them, and the same exit code."""
    running = serve()
    there = lenet5("predict", folder, "--url", running.url)
    here = lenet5("predict", folder, "--model-dir", model_dir)
    assert there.returncode == here.returncode == 1
    assert there.stderr == here.stderr
    rows = list(zip(map(json.loads, there.stdout.splitlines()), map(json.loads, here.stdout.splitlines()), strict=True))
    assert len(rows) == 42
    for one, other in rows:
        assert one.keys() == other.keys()
        assert one["file"] == other["file"]
        if "error" in one:
            assert one["error"] == other["error"]
        else:
            assert one["probabilities"] == pytest.approx(other["probabilities"], abs=1e-5)


def test_a_field_is_read_by_a_service(serve, tmp_path):
    """`read --url` prints what `read` does, for one picture and for several, with the strings that may occur."""
    running = serve(LENET5_MODEL_DIR=str(default_model_dir()))
    (tmp_path / "allowed.txt").write_text("85615\n85616\n")
    for options in (
        ["--kind", "postal_code", "--country", "US", "--expected", "85616"],
        ["--allowed", tmp_path / "allowed.txt", "--n-best", "2"],
        [ZIP.with_name("7.png"), "--format", "csv"],
    ):
        there, here = lenet5("read", ZIP, *options, "--url", running.url), lenet5("read", ZIP, *options)
        assert (there.returncode, there.stderr) == (0, "")
        assert rounded(there.stdout) == rounded(here.stdout)
        assert "85615" in there.stdout
    gone = lenet5("read", ZIP, "--url", "http://127.0.0.1:9", "--timeout", "1")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.endswith(" [connection_failed]\n")
    assert gone.stderr.count("\n") == 1


def rounded(text: str) -> str:
    """With probabilities of two places: forward passes may have other numbers of pictures."""
    return re.sub(r"(0\.\d\d)\d+", r"\1", text)


def test_a_service_that_goes_away_ends_the_work_and_resuming_goes_on(serve, folder, tmp_path):
    """Nothing of what failed for that is written as a picture's error, and nothing but results to standard output."""
    running = serve()
    assert running.stop() == 0
    out = tmp_path / "out.jsonl"
    ended = lenet5("predict", folder, "--url", running.url, "--output", out, "--timeout", "1")
    assert (ended.returncode, ended.stdout, out.read_bytes()) == (1, "", b"")
    assert ended.stderr.endswith(" [connection_failed]\n")
    running = serve()
    assert lenet5("predict", folder, "--url", running.url, "--output", out, "--resume").returncode == 1
    assert len(out.read_text().splitlines()) == 42


def test_a_wrong_option_is_the_services_word(serve, folder):
    """What the service refuses as an option exits with 2, a model that is not there with 1."""
    running = serve()
    wrong = lenet5("predict", folder, "--url", running.url, "--target-error", "0.1")
    assert (wrong.returncode, wrong.stdout) == (2, "")
    assert wrong.stderr.endswith(" [invalid_parameter]\n")
    unknown = lenet5("predict", folder, "--url", running.url, "--model", "other")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.endswith(" [unknown_model]\n")


def test_models_are_those_that_are_served_or_would_be(serve, model_dir):
    """Both say the same, with --json as GET /models; a version that would be left out is a line on standard error."""
    running = serve()
    answered = httpx.get(running.url + "/models").json()
    assert json.loads(lenet5("models", "--url", running.url, "--json").stdout) == answered
    assert json.loads(lenet5("models", "--model-dir", model_dir, "--json").stdout) == answered
    assert json.loads(lenet5("models", "--json", LENET5_MODEL_DIR=str(model_dir)).stdout) == answered
    (line,) = lenet5("models", "--model-dir", model_dir).stdout.splitlines()
    assert line.split("\t") == ["digit", "lenet5:1", "default", answered["models"][0]["sha256"]]
    gone = lenet5("models", "--url", "http://127.0.0.1:9")
    assert (gone.returncode, gone.stdout) == (1, "")
    assert gone.stderr.endswith(" [connection_failed]\n")


def test_a_model_that_would_be_left_out_is_told(own_models):
    """With the reason; the list has the others."""
    (own_models / "other" / "1").mkdir(parents=True)
    ended = lenet5("models", "--model-dir", own_models)
    assert (ended.returncode, len(ended.stdout.splitlines())) == (0, 1)
    assert "other/1 would be left out: " in ended.stderr
    ended = lenet5("models", "--model-dir", "x" * 300)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (1, "", 1)


def test_bench_measures_each_number_of_callers(serve, folder, digits):
    """A line for 1, 2 and 4 callers, whose answers the service has counted; and it says what it is."""
    running = serve()
    table = lenet5("bench", running.url, "--seconds", "0.2", "--callers", "4")
    lines = table.stdout.splitlines()
    assert [line.split()[0] for line in lines[1:4]] == ["1", "2", "4"]
    assert all(line.endswith(" none") for line in lines[1:4])
    assert "lower bound" in lines[-1]
    ended = lenet5("bench", running.url, folder / "00.png", "--seconds", "0.2", "--callers", "2", "--json")
    found = json.loads(ended.stdout)
    assert [row["callers"] for row in found["rows"]] == [1, 2]
    for row in found["rows"]:
        assert 0 < row["p50"] <= row["p95"] <= row["p99"]
        assert row["errors"] == {}
    answered = sum(row["rate"] * 0.2 for row in found["rows"])
    counted = [line for line in running.metrics().splitlines() if "_size_sum" in line]
    assert answered < sum(float(line.rpartition(" ")[2]) for line in counted)


def test_bench_counts_what_is_refused(serve, folder):
    """Answers other than 200 are errors by their status, and no throughput; with nothing else the exit code is 1."""
    running = serve()
    ended = lenet5("bench", running.url, folder / "none.png", "--seconds", "0.2", "--json")
    (row,) = json.loads(ended.stdout)["rows"]
    assert (ended.returncode, row["rate"], row["p50"]) == (1, 0.0, None)
    assert row["errors"].keys() == {"HTTP 422"}
    gone = lenet5("bench", "http://127.0.0.1:9", "--seconds", "0.2")
    assert gone.returncode == 1
    assert "connection refused" in gone.stderr


@pytest.mark.parametrize("workers", ["1", "2"])
def test_ctrl_c_says_what_is_still_answered(serve, digits, workers):
    """One line with how many requests are under way, and then they are answered; SIGTERM is not talked to."""
    running = serve("--max-batch-delay", "2", "--workers", workers)
    with ThreadPoolExecutor(1) as pool, httpx.Client(base_url=running.url, timeout=30) as client:
        answer = pool.submit(client.post, "/predict", content=digits[0])
        running.queued(1)
        assert running.stop(signal.SIGINT) == 0
        assert answer.result().status_code == 200
    (line,) = running.process.stderr.read().splitlines()
    under_way = {"1": "answering 1 request under way", "2": "answering what is under way in 2 workers"}[workers]
    assert line.startswith(f"lenet5: {under_way}, then leaving")


def test_it_says_what_is_ready_where_and_on_which_device(model_dir, serve):
    """In its first line on standard error."""
    running: Running = serve(LENET5_LOG_FORMAT="json")
    assert running.said == f"lenet5-serve {version('lenet5-serve')} is ready on {running.url}: lenet5:1 on cpu (onnx)\n"
    (ready,) = [line for line in map(json.loads, running.log.splitlines()) if line["event"] == "ready"]
    said = {"version": version("lenet5-serve"), "address": running.url, "models": ["lenet5:1"], "device": "cpu"}
    assert ready.items() >= {**said, "backend": "onnx", "workers": 1}.items()
