"""What pictures cost before the network sees them: uploads as forms, phone photos, normalisation."""

import io
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import cv2
import numpy as np
from PIL import Image

from app.imaging import DecodeLimits, decode, normalize
from benchmarks.comparison import table
from benchmarks.forms import photo
from benchmarks.speed import digits, wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.machine import cores, pinned
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio
from training.datasets import load

BOUNDARY = "pictureboundary"
PHOTO_SIDE = 1000
PHOTO_DIGIT = (300, 600)  # pixels of its longer side
PHOTO_LOOK = {"grain": 3, "quality": 90}  # about a bit a pixel: a smoother picture is decoded in half the time
COUNT = 100  # different pictures
REPEATS = 5  # of each, in each round; the quickest counts


def form(png: bytes) -> bytes:
    """A picture as the field `file` of a multipart form."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="digit.png"\r\n'
    return head.encode() + b"Content-Type: image/png\r\n\r\n" + png + f"\r\n--{BOUNDARY}--\r\n".encode()


def _pillow(data: bytes) -> None:
    Image.open(io.BytesIO(data)).load()


def _ours(data: bytes) -> None:
    normalize(decode(data, DecodeLimits()))


def quickest(function: Callable[[Any], object], arguments: Sequence[Any]) -> float:
    """Seconds a call: for each argument the quickest of a few, of these the median."""
    times = []
    for argument in arguments:
        best = float("inf")
        for _ in range(REPEATS):
            start = time.perf_counter()
            function(argument)
            best = min(best, time.perf_counter() - start)
        times.append(best)
    return statistics.median(times)


def measure(options: Options) -> Result:
    """Uploads over a socket; the rest in this process, on the server's core."""
    rng = np.random.default_rng(0)
    bare = list(load("mnist-test").pictures[:COUNT])
    larger = [255 - cv2.resize(picture, (100, 100), interpolation=cv2.INTER_CUBIC) for picture in bare]
    photos = [photo(picture, rng, (PHOTO_SIDE, PHOTO_SIDE), PHOTO_DIGIT, **PHOTO_LOOK) for picture in bare[:20]]
    raw = digits.pngs()
    forms = [form(png) for png in raw]
    rounds = []
    for _ in range(options.rounds):
        with OURS.started(options.environments) as server:
            url = server.url + OURS.path
            wrk.load(url, raw, connections=64, seconds=1)
            found = {"raw": wrk.load(url, raw, connections=64, seconds=options.seconds).rate}
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            multipart = wrk.load(url, forms, connections=64, seconds=options.seconds, content_type=kind)
            found |= {"multipart": multipart.rate, "multipart_errors": multipart.errors}
        with pinned(cores()[0]):
            found |= {
                "photo": quickest(_ours, photos),
                "photo_pillow": quickest(_pillow, photos),
                "normalize_28": quickest(normalize, bare),
                "normalize_100": quickest(normalize, larger),
                "png": quickest(_ours, raw[:COUNT]),
            }
        rounds.append(found)
    return {"rounds": rounds, "photo_bytes": sum(map(len, photos)) / len(photos)}


def _column(result: Result, key: str) -> list[float]:
    return [one[key] for one in result["rounds"]]


def markdown(result: Result) -> str:
    """Each figure with its spread."""
    rows = [
        ["28x28 PNGs as the raw body, requests/s at 64 connections", Spread.of(_column(result, "raw")).text(",.0f")],
        ["the same as multipart forms", Spread.of(_column(result, "multipart")).text(",.0f")],
        [
            f"photo, JPEG 1000x1000 of {result['photo_bytes'] / 1e3:.0f} kB, to the network's input, ms",
            Spread.of(_column(result, "photo")).text(".2f", 1e3),
        ],
        ["photo, bare decode by Pillow, ms", Spread.of(_column(result, "photo_pillow")).text(".2f", 1e3)],
        ["28x28 PNG to the network's input, us", Spread.of(_column(result, "png")).text(".1f", 1e6)],
        ["normalise 28x28 in MNIST's form, us", Spread.of(_column(result, "normalize_28")).text(".1f", 1e6)],
        ["normalise 100x100, us", Spread.of(_column(result, "normalize_100")).text(".1f", 1e6)],
    ]
    return table(["pictures", "median (lowest-highest round)"], rows)


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    multipart = ratio(_column(result, "multipart"), _column(result, "raw"))
    photos = ratio(_column(result, "photo"), _column(result, "photo_pillow"))
    small, larger = (Spread.of(_column(result, f"normalize_{side}")).text(".1f", 1e6) for side in (28, 100))
    return [
        Goal("multipart instead of raw body, requests/s", "0.5", "0.75", multipart.text()),
        Goal("a phone photo over the bare Pillow decode of it", "2", "1.3", photos.text()),
        Goal("normalise 28x28 in MNIST's form / 100x100, us", "60 / 250", "15 / 80", f"{small} / {larger}"),
    ]


PART = Part("pictures", measure, markdown, goals)
