"""How cost grows: with connections, batches, pictures, fields, the queue, workers and models. One round; curves."""

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path

import cv2
import httpx
import numpy as np

from app.fields.formats import field_format
from app.imaging import DecodeLimits, decode, from_mnist_form, normalize
from app.lenet.registry import Registry, default_model_dir
from app.runtime import open_backend
from benchmarks.fields.cases import Case
from benchmarks.fields.reading import served
from benchmarks.forms import encode, gray, photo
from benchmarks.running import service
from benchmarks.speed import digits, growth_plots, process, wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.machine import cores, on_server_core, pinned
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.passes import seconds_a_call
from training.datasets import load

CONNECTIONS = (1, 4, 16, 64, 128, 256, 512, 1024)
BATCHES = tuple(2**n for n in range(10))
SIDES = (16, 28, 64, 128, 256, 512, 1024, 2048, 3600)  # the last is near the largest that is taken
DIGITS = (2, 5, 10, 20, 40)  # of a field
QUEUES = (16, 64, 256, 1024)  # pictures that are accepted at a time
MODELS = 8  # at most
PHOTO = (600, 600)  # pixels of the pictures that fill the queue


def measure(options: Options) -> Result:
    """Each curve on its own."""
    result: Result = {}
    for name, curve in CURVES.items():
        print(name, file=sys.stderr)
        result[name] = curve(options)
    return result


def connections(options: Options) -> Result:
    """Requests a second and latency in a closed loop."""
    bodies = digits.pngs()
    with OURS.started(options.environments) as server:
        url = server.url + OURS.path
        wrk.load(url, bodies, connections=64, seconds=1)
        return {str(n): asdict(wrk.load(url, bodies, connections=n, seconds=options.seconds)) for n in CONNECTIONS}


def batches(_: Options) -> Result:
    """Seconds of a forward pass."""
    folder = Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder
    inputs = from_mnist_form(load("mnist-test").pictures[: max(BATCHES)])
    with pinned(cores()[0]):
        backend = open_backend(folder, device="cpu", max_batch_size=max(BATCHES))
        backend.warm_up()
        return {str(n): seconds_a_call(lambda x=inputs[:n]: backend.infer(x)) for n in BATCHES}  # type: ignore[misc]


def sides(_: Options) -> Result:
    """Seconds from a picture's file to the network's input: dark on light in a PNG, and a photo in a JPEG."""
    digit, rng = load("mnist-test").pictures[0], np.random.default_rng(0)
    found = {}
    with pinned(cores()[0]):
        for side in SIDES:
            png = encode(gray(255 - cv2.resize(digit, (side, side), interpolation=cv2.INTER_AREA)))
            jpeg = photo(digit, rng, (side, side), (side // 2, side // 2))
            found[str(side)] = {
                name: seconds_a_call(lambda d=data: normalize(decode(d, DecodeLimits())))  # type: ignore[misc]
                for name, data in (("png", png), ("jpeg", jpeg))
            }
    return found


def fields(_: Options) -> Result:
    """Seconds of a whole field and of the network in it, and its candidates, by the number of digits in a row."""
    reader = served(Registry.open(default_model_dir(), {}).resolve("lenet5-field", "field"))
    written = load("mnist-test").pictures
    found = {}
    with pinned(cores()[0]):
        cv2.setNumThreads(1)
        for length in DIGITS:
            picture = 255 - np.pad(np.concatenate(list(written[:length, :, 4:24]), axis=1), 12)
            case = Case("growth", picture, "", field_format("digits"))
            answer = min((reader.read(case) for _ in range(5)), key=lambda one: one.seconds)
            found[str(length)] = {
                "seconds": answer.seconds,
                "network": answer.network_seconds,
                "candidates": answer.candidates,
            }
    return found


def queues(options: Options) -> Result:
    """The most memory, with more connections than the queue takes: each sends a photo."""
    rng = np.random.default_rng(0)
    bodies = [photo(digit, rng, PHOTO) for digit in load("mnist-test").pictures[:16]]
    found = {}
    for limit in QUEUES:
        with service("--queue-pictures", str(limit), prefix=on_server_core()) as server:
            load_ = wrk.load(
                server.url + OURS.path,
                bodies,
                connections=max(CONNECTIONS),
                seconds=options.seconds,
                content_type="image/jpeg",
            )
            found[str(limit)] = {"bytes": process.peak(server.pid), "rate": load_.rate, "errors": load_.errors}
    return found


def workers(options: Options) -> Result:
    """Requests a second and memory, one worker to as many as there are cores; nothing is pinned."""
    bodies = digits.pngs()
    found = {}
    for number in range(1, (os.cpu_count() or 1) + 1):
        with service("--workers", str(number)) as server:
            load_ = wrk.load(server.url + OURS.path, bodies, connections=64, seconds=options.seconds, anywhere=True)
            found[str(number)] = {"rate": load_.rate, "bytes": process.pss(server.pid)}
    return found


def models(_: Options) -> Result:
    """Memory and the time from start to the first answer, by the models that are served, the default one first."""
    registry, png = Registry.open(default_model_dir(), {}), digits.pngs(1)[0]
    default = registry.resolve("lenet5", "digit")
    known = [default, *(model for model in registry.served if model is not default)]
    found = {}
    for number in range(1, min(MODELS, len(known)) + 1):
        with tempfile.TemporaryDirectory() as folder:
            for model in known[:number]:
                shutil.copytree(model.folder, Path(folder) / model.name / str(model.version))
            start = time.perf_counter()
            with service("--model-dir", folder) as server:
                OURS.ask(httpx.Client(base_url=server.url), png)
                found[str(number)] = {"seconds": time.perf_counter() - start, "bytes": process.pss(server.pid)}
    return found


CURVES: dict[str, Callable[[Options], Result]] = {
    "connections": connections,
    "batches": batches,
    "sides": sides,
    "fields": fields,
    "queues": queues,
    "workers": workers,
    "models": models,
}


def markdown(_: Result) -> str:
    """The pictures."""
    return f"![How cost grows](figures/{growth_plots.FIGURE})\n"


def goals(_: Result) -> list[Goal]:
    """None."""
    return []


PART = Part("growth", measure, markdown, goals, growth_plots.figures)
