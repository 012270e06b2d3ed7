"""/metrics: what is counted of answers, and that Prometheus has nothing to say against the form."""

import math
import subprocess
import sys
from importlib.metadata import version

import pytest
from prometheus_client.parser import text_string_to_metric_families

TWO_WORKERS = """
import multiprocessing, sys
from app.serving.metrics import Metrics

def count(answers):
    metrics = Metrics()
    metrics.queue_depth.labels("lenet5").inc(answers)
    for _ in range(answers):
        metrics.answered("/predict", 200, 0.001)
        metrics.decided("lenet5", "1", 0.99, accepted=True)

if __name__ == "__main__":
    workers = [multiprocessing.Process(target=count, args=(answers,)) for answers in (3, 4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    sys.stdout.buffer.write(Metrics().exposition())
"""


def samples(text: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample of an exposition, by its name and labels."""
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def value(text: str, name: str, **labels: str) -> float:
    return samples(text)[name, frozenset(labels.items())]


@pytest.fixture
def lint(promtool):
    """What `promtool check metrics` says against an exposition."""

    def check(text: str) -> str:
        done = promtool("check", "metrics", input=text)
        return (done.stdout + done.stderr).strip() or ("" if done.returncode == 0 else str(done.returncode))

    return check


async def test_each_answer_is_counted_with_its_confidence(serving, digits):
    """The histogram's counts are the answers, accepted or not, alone and in a batch; what has no answer isn't in it."""
    batch = [("files", digits[0]), ("files", digits[1]), ("files", b"no picture")]
    async with serving() as client:
        single = (await client.post("/predict", content=digits[0])).json()
        for _ in range(2):
            await client.post("/predict?threshold=1", content=digits[0])
        results = (await client.post("/predict/batch", files=batch)).json()["results"]
        await client.post("/predict", content=b"no picture")
        text = (await client.get("/metrics")).text
    model = {"model": "lenet5", "version": "1"}
    assert single["accepted"]
    assert value(text, "lenet5_confidence_count", **model, accepted="true") == 3
    assert value(text, "lenet5_confidence_count", **model, accepted="false") == 2
    sure = single["confidence"] + sum(result["confidence"] for result in results[:2])
    assert math.isclose(value(text, "lenet5_confidence_sum", **model, accepted="true"), sure)


async def test_the_build_is_said(serving):
    """The version of the service and of Python."""
    async with serving() as client:
        text = (await client.get("/metrics")).text
    python = ".".join(map(str, sys.version_info[:3]))
    assert value(text, "lenet5_build_info", version=version("lenet5-serve"), python=python) == 1


async def test_prometheus_has_nothing_against_the_metrics(serving, digits, lint):
    """`promtool check metrics` finds nothing to say."""
    async with serving() as client:
        await client.post("/predict", content=digits[0])
        text = (await client.get("/metrics")).text
    assert lint(text) == ""


def test_prometheus_finds_what_is_wrong(lint):
    """Negative control: a counter whose name does not end in _total is found."""
    assert "_total" in lint("# HELP lenet5_answers Answers.\n# TYPE lenet5_answers counter\nlenet5_answers 1\n")


def test_several_workers_are_one_sum_that_prometheus_takes(tmp_path, lint):
    """What two processes counted is added up, and has the form that one process's metrics have."""
    (tmp_path / "workers.py").write_text(TWO_WORKERS)
    text = subprocess.run(
        [sys.executable, tmp_path / "workers.py"],
        env={"PROMETHEUS_MULTIPROC_DIR": str(tmp_path), "PYTHONPATH": ":".join(sys.path)},
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert value(text, "lenet5_requests_total", endpoint="/predict", status="200") == 7
    assert value(text, "lenet5_confidence_bucket", model="lenet5", version="1", accepted="true", le="0.98") == 0
    assert value(text, "lenet5_confidence_bucket", model="lenet5", version="1", accepted="true", le="0.99") == 7
    (build,) = [key for key in samples(text) if key[0] == "lenet5_build_info"]
    assert samples(text)[build] == 1
    assert lint(text) == ""
