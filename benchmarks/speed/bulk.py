"""10,000 digits in one binary request of the Open Inference Protocol v2, alone and beside single pictures."""

import json
import time
from concurrent.futures import ThreadPoolExecutor

import httpx
import numpy as np
import numpy.typing as npt

from app.imaging import from_mnist_form
from app.lenet.registry import Registry, default_model_dir
from app.runtime import open_backend
from benchmarks.comparison import table
from benchmarks.speed import digits, paced, wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.machine import cores, pinned
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.passes import seconds_a_call
from benchmarks.speed.rounds import Spread, ratio
from training.datasets import load

PATH = "/v2/models/lenet5/infer"
SLICE = 128  # pictures of a forward pass, as the service has it
RATE = 100  # single pictures a second beside the bulk
BINARY = "application/octet-stream"
MISSING = "no /v2 here"


def request(pictures: npt.NDArray[np.uint8]) -> tuple[bytes, dict[str, str]]:
    """The body and the header that ask for the digits in uint8 (n, 28, 28), outputs in binary too."""
    tensor = {
        "name": "images",
        "shape": list(pictures.shape),
        "datatype": "UINT8",
        "parameters": {"binary_data_size": pictures.nbytes},
    }
    head = json.dumps({"inputs": [tensor], "parameters": {"binary_data_output": True}}).encode()
    return head + pictures.tobytes(), {"Inference-Header-Content-Length": str(len(head))}


def measure(options: Options) -> Result:
    """In each round: the backend offline, bulk requests one after the other, single pictures without and with them."""
    pictures = load("mnist-test").pictures
    body, headers = request(pictures)
    rounds = []
    for _ in range(options.rounds):
        found = {"offline": len(pictures) / _offline(pictures)}
        with OURS.started(options.environments) as server, httpx.Client(base_url=server.url, timeout=60) as client:
            first = client.post(PATH, content=body, headers=headers | {"Content-Type": BINARY})
            if first.status_code == httpx.codes.NOT_FOUND:
                return {"missing": MISSING}
            first.raise_for_status()
            times = []
            until = time.perf_counter() + options.seconds
            while (start := time.perf_counter()) < until:
                client.post(PATH, content=body, headers=headers | {"Content-Type": BINARY}).raise_for_status()
                times.append(time.perf_counter() - start)
            found["bulk"] = len(pictures) / float(np.median(times))
            found["quiet_p99"] = _singles(server.url, options.seconds)
            found["beside_p99"] = _beside(server.url, body, headers, options.seconds)
        rounds.append(found)
    return {"rounds": rounds}


def _offline(pictures: npt.NDArray[np.uint8]) -> float:
    """Seconds of the forward passes alone over all pictures."""
    folder = Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder
    inputs = from_mnist_form(pictures)
    with pinned(cores()[0]):
        backend = open_backend(folder, device="cpu", max_batch_size=SLICE)
        backend.warm_up()
        return seconds_a_call(
            lambda: [backend.infer(inputs[i : i + SLICE]) for i in range(0, len(inputs), SLICE)], seconds=1.0
        )


def _singles(url: str, seconds: int) -> float:
    return paced.load(url + OURS.path, digits.pngs(), rate=RATE, seconds=seconds).p99


def _beside(url: str, body: bytes, headers: dict[str, str], seconds: int) -> float:
    """The p99 of single pictures while another process, which wrk is, sends bulk requests without pause."""
    with ThreadPoolExecutor(1) as pool:
        bulk = pool.submit(
            wrk.load, url + PATH, [body], connections=1, seconds=seconds + 2, content_type=BINARY, headers=headers
        )
        time.sleep(1)
        p99 = _singles(url, seconds)
    if bulk.result().errors:
        raise RuntimeError("bulk requests were refused")
    return p99


def _column(result: Result, key: str) -> list[float]:
    return [one[key] for one in result["rounds"]]


def markdown(result: Result) -> str:
    """Each figure with its spread."""
    if "missing" in result:
        return f"Not measured: {result['missing']}.\n"
    rows = [
        ["10,000 digits in one request, pictures/s", Spread.of(_column(result, "bulk")).text(",.0f")],
        [f"forward passes of {SLICE} alone, pictures/s", Spread.of(_column(result, "offline")).text(",.0f")],
        [f"single pictures, {RATE}/s, quiet: p99 ms", Spread.of(_column(result, "quiet_p99")).text(".2f", 1e3)],
        [
            "the same beside the bulk: p99 ms",
            Spread.of(_column(result, "beside_p99")).text(".2f", 1e3),
        ],
    ]
    return table(["bulk", "median (lowest-highest round)"], rows)


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    rate = tail = result.get("missing", "")
    if "missing" not in result:
        rate = ratio(_column(result, "bulk"), _column(result, "offline")).text()
        tail = ratio(_column(result, "beside_p99"), _column(result, "quiet_p99")).text()
    return [
        Goal("10,000 digits in one /v2 binary request, pictures/s over the backend's offline rate", "0.6", "0.9", rate),
        Goal("p99 of single /predict beside 10,000-digit requests, over quiet", "5", "3", tail),
    ]


PART = Part("bulk", measure, markdown, goals)
