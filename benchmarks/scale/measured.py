"""What is measured of one process on a core of its own, the load on another.

The service curve comes from a closed loop: with n callers who ask again at once, n requests share each batch. What a
batch takes of the core is its processor time. Held against it is another load, an open loop of Poisson callers.
"""

import sys
from dataclasses import asdict
from typing import Any

import httpx
import numpy as np

from benchmarks.running import Running, metric
from benchmarks.scale import queue
from benchmarks.speed import digits, paced, process, wrk
from benchmarks.speed.bulk import BINARY, PATH, request
from benchmarks.speed.contestants import OURS
from benchmarks.speed.part import Options, Result
from training.datasets import load

MOST = 128  # pictures in a batch, as served
CALLERS = (1, 2, 4, 8, 16, 32, 64, MOST)
SHARES = (0.2, 0.4, 0.6, 0.7, 0.8, 0.9)  # of the closed loop's rate at MOST callers
BATCH, TENSOR = 64, 10_000  # pictures in a request of /predict/batch and of /v2
HEAD = 160
"""Bytes of a request's first line and headers; an answer's are counted."""


def measure(options: Options) -> Result:
    """Rounds of the curve, of the open loop at shares of the capacity, and of requests with many pictures."""
    pictures = load("mnist-test").pictures[:TENSOR]
    rounds = []
    for number in range(options.rounds):
        print(f"round {number + 1} of {options.rounds}", file=sys.stderr)
        with OURS.started(options.environments) as server:
            url = server.url + OURS.path
            wrk.load(url, digits.pngs(), connections=64, seconds=1)
            found: Result = {"curve": [_shared(server, callers, options.seconds) for callers in CALLERS]}
            capacity = found["curve"][-1]["rate"]
            found["open"] = [_opened(url, share * capacity, options.seconds, number) for share in SHARES]
            found["many"] = _many(server, pictures, options.seconds)
        rounds.append(found)
    return {"rounds": rounds, "sizes": _sizes(options, pictures)}


def _shared(server: Running, callers: int, seconds: int) -> Result:
    """What a batch of as many callers takes."""
    before = _seen(server)
    closed = wrk.load(server.url + OURS.path, digits.pngs(), connections=callers, seconds=seconds)
    used, passes, pictures = (after - earlier for after, earlier in zip(_seen(server), before, strict=True))
    return {"batch": pictures / passes, "seconds": used / passes, "rate": closed.rate, "p50": closed.p50}


def _seen(server: Running) -> tuple[float, float, float]:
    """Processor time so far, forward passes, pictures in them."""
    text = httpx.get(server.url + "/metrics").text
    passes, pictures = (metric(text, f"lenet5_batch_size_{what}") for what in ("count", "sum"))
    return process.cpu_seconds(server.pid), passes, pictures


def _opened(url: str, rate: float, seconds: int, seed: int) -> Result:
    """Poisson callers, when they came and how long they waited."""
    arrivals = queue.poisson(rate, round(rate * seconds), seed)
    return asdict(paced.load(url, digits.pngs(), rate=rate, seconds=seconds, arrivals=arrivals)) | {"seed": seed}


def _many(server: Running, pictures: Any, seconds: int) -> dict[str, float]:
    """Pictures a second in requests with many."""
    body, headers = request(pictures)
    form, kind = _form()
    batch = wrk.load(server.url + "/predict/batch", [form], connections=4, seconds=seconds, content_type=kind)
    tensor = wrk.load(server.url + PATH, [body], connections=2, seconds=seconds, content_type=BINARY, headers=headers)
    return {"batch": BATCH * batch.rate, "tensor": TENSOR * tensor.rate}


def _form() -> tuple[bytes, str]:
    """The body of a request with many pictures, and its content type."""
    files = [("files", (f"{number}.png", one, "image/png")) for number, one in enumerate(digits.pngs(BATCH))]
    form = httpx.Request("POST", "http://x", files=files)
    return form.read(), form.headers["Content-Type"]


def _sizes(options: Options, pictures: Any) -> dict[str, list[float]]:
    """Bytes of a request and of its answer, for each picture in it, before TCP has its part."""
    body, headers = request(pictures)
    form, kind = _form()
    with OURS.started(options.environments) as server, httpx.Client(base_url=server.url, timeout=60) as client:
        single = [client.post(OURS.path, content=png, headers={"Content-Type": "image/png"}) for png in digits.pngs()]
        batch = client.post("/predict/batch", content=form, headers={"Content-Type": kind})
        tensor = client.post(PATH, content=body, headers=headers | {"Content-Type": BINARY})
    return {
        "single": [
            float(np.mean([HEAD + len(png) for png in digits.pngs()])),
            float(np.mean(list(map(_size, single)))),
        ],
        "batch": [(HEAD + len(form)) / BATCH, _size(batch) / BATCH],
        "tensor": [(HEAD + len(body)) / TENSOR, _size(tensor) / TENSOR],
    }


def _size(answer: httpx.Response) -> int:
    answer.raise_for_status()
    return len(answer.content) + sum(len(name) + len(value) + 4 for name, value in answer.headers.raw) + 19
