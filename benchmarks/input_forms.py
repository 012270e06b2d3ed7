"""Error of the served model on digits in the forms that strangers send: against the same digits in MNIST's own form.

    python -m benchmarks.input_forms                              # the default model, offline: minutes
    python -m benchmarks.input_forms --digits 50 photo thin_pen   # two forms of few digits: seconds
    python -m benchmarks.input_forms --url http://127.0.0.1:8000  # a running service, over POST /predict

Digits are MNIST's last training digits, on which the forms and the normalisation were chosen; a model that was trained
on all 60,000 has seen them, so only the difference between forms counts. `--held-out-writers` takes those of the
writers that a config with `validation = "writers"` holds out, for a model that was trained so, without a refit.
`--final` takes 500 MNIST test digits instead. USPS and optdigits follow, whole, where no forms are named.
"""

import argparse
import gzip
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import cv2
import httpx
import numpy as np
import numpy.typing as npt

from app.imaging import DecodeLimits, decode, normalize
from app.lenet.registry import Registry, default_model_dir
from app.runtime import open_backend
from benchmarks.forms import FORMS, plain
from training import split
from training.datasets import mnist as mnist_set

MNIST = Path(__file__).parents[1] / "training" / "data" / "mnist"
FINAL_DIGITS = 500
HELD_OUT = 10_000  # digits at least, as in training's configs
BATCH = 256
Read = Callable[[Sequence[bytes]], npt.NDArray[np.int64]]


def mnist(part: str) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """Pictures uint8 (n, 28, 28) and labels uint8 (n,) of the part `train` or `t10k`."""
    images = gzip.decompress((MNIST / f"{part}-images-idx3-ubyte.gz").read_bytes())
    labels = gzip.decompress((MNIST / f"{part}-labels-idx1-ubyte.gz").read_bytes())
    return np.frombuffer(images, np.uint8, offset=16).reshape(-1, 28, 28), np.frombuffer(labels, np.uint8, offset=8)


def offline_reader(model_dir: Path) -> Read:
    """Reads pictures by the default model of a folder, in this process."""
    model = Registry.open(model_dir, {"digit": "lenet5"}).resolve(None, "digit")
    backend = open_backend(model.folder, device="cpu", max_batch_size=BATCH)
    limits = DecodeLimits()

    def read(pictures: Sequence[bytes]) -> npt.NDArray[np.int64]:
        inputs = np.stack([normalize(decode(data, limits)).input for data in pictures])  # (n, 1, 32, 32)
        logits = [backend.infer(inputs[start : start + BATCH]) for start in range(0, len(inputs), BATCH)]
        labels: npt.NDArray[np.int64] = np.concatenate(logits).argmax(axis=1)
        return labels

    return read


def http_reader(url: str) -> Read:
    """Reads pictures by POST /predict of a running service."""
    client = httpx.Client(base_url=url, timeout=30)

    def read(pictures: Sequence[bytes]) -> npt.NDArray[np.int64]:
        headers = {"Content-Type": "application/octet-stream"}
        answers = [client.post("/predict", content=data, headers=headers).raise_for_status() for data in pictures]
        return np.array([answer.json()["digit"] for answer in answers])

    return read


def other_sets(folder: Path | None) -> dict[str, tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]] | None]:
    """USPS and optdigits, pictures and labels; None for a set that is not there."""
    places: dict[str, tuple[str, str, str]] = {
        "usps": ("usps/usps_train.npz", "x", "y"),
        "optdigits": ("optdigits/optdigits.npz", "x_train", "y_train"),
    }
    found: dict[str, Any] = {}
    for name, (path, pictures, labels) in places.items():
        file = None if folder is None else folder / path
        if file is None or not file.is_file():
            found[name] = None
            continue
        with np.load(file) as arrays:
            found[name] = arrays[pictures], arrays[labels]
    return found


def digits_for(arguments: argparse.Namespace) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.uint8]]:
    """The pictures and labels that the forms are made of, as the options say."""
    pictures, labels = mnist("t10k" if arguments.final else "train")
    if arguments.final:
        return pictures[:FINAL_DIGITS], labels[:FINAL_DIGITS]
    chosen = np.arange(len(labels))
    if arguments.held_out_writers:
        held_out = split.by_writer(mnist_set.writers(arguments.data_dir), HELD_OUT).held_out
        chosen = np.random.default_rng(arguments.seed).permutation(held_out)
    return pictures[chosen[-arguments.digits :]], labels[chosen[-arguments.digits :]]


def main() -> None:
    """Measure every form and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a running service; without it the model runs in this process")
    parser.add_argument("--model-dir", type=Path, default=None, help="offline: the folder of models")
    parser.add_argument("--data-dir", type=Path, help="holds usps/usps_train.npz and optdigits/optdigits.npz")
    parser.add_argument("--digits", type=int, default=500, help="training digits a form (default 500)")
    parser.add_argument("--seed", type=int, default=0, help="of the forms, and of which held-out digits (default 0)")
    parser.add_argument("--held-out-writers", action="store_true", help="digits of writers that --data-dir tells apart")
    parser.add_argument("--final", action="store_true", help=f"{FINAL_DIGITS} MNIST test digits a form instead")
    parser.add_argument("forms", nargs="*", choices=[[], *FORMS], help="only these forms (default: all)")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    read = http_reader(arguments.url) if arguments.url else offline_reader(arguments.model_dir or default_model_dir())
    pictures, labels = digits_for(arguments)
    write = sys.stdout.write
    write(f"{'form':18} {'n':>6} {'error %':>8} {'against plain':>14}\n")
    base = 0.0
    for name in dict.fromkeys(("plain", *(arguments.forms or FORMS))):
        sent = [FORMS[name](digit, np.random.default_rng((arguments.seed, i))) for i, digit in enumerate(pictures)]
        error = 100 * float((read(sent) != labels).mean())
        base = error if name == "plain" else base
        write(f"{name:18} {len(labels):6} {error:8.2f} {error - base:+14.2f}\n")
        sys.stdout.flush()
    others = {} if arguments.forms else other_sets(arguments.data_dir)
    for name, data in others.items():
        if data is None:
            write(f"{name:18} skipped: not found in --data-dir\n")
            continue
        error = 100 * float((read([plain(one, np.random.default_rng(0)) for one in data[0]]) != data[1]).mean())
        write(f"{name:18} {len(data[1]):6} {error:8.2f}\n")


if __name__ == "__main__":
    main()
