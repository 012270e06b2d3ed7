"""Somebody's own digits: MNIST's, leaning as nobody there writes, in each form that is read."""

import csv
import gzip
import io
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import numpy as np
from PIL import Image

from training import datasets


@cache
def leaning(first: int, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Training digits from `first` on, sheared by half a pixel a row, dark on white: uint8 (n, 28, 42), and labels."""
    digits = datasets.load("mnist-train").take(np.arange(first, first + count))
    pictures = np.full((count, 28, 42), 255, np.uint8)
    for row in range(28):
        pictures[:, row, 14 - row // 2 : 42 - row // 2] = 255 - digits.pictures[:, row]
    return pictures, digits.labels


def png(picture: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(picture).save(buffer, "PNG")
    return buffer.getvalue()


def as_folders(folder: Path, pictures: np.ndarray, labels: Sequence[object]) -> Path:
    """FOLDER/LABEL/NUMBER.png; the numbers are the places in the arrays."""
    for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
        (folder / str(label)).mkdir(parents=True, exist_ok=True)
        (folder / str(label) / f"{index:04}.png").write_bytes(png(picture))
    return folder


def as_table(
    folder: Path, pictures: np.ndarray, labels: Sequence[object], groups: Sequence[object] | None = None
) -> Path:
    """FOLDER/labels.csv, and the pictures in FOLDER/pictures/."""
    (folder / "pictures").mkdir(parents=True, exist_ok=True)
    with (folder / "labels.csv").open("w", newline="") as stream:
        rows = csv.writer(stream)
        rows.writerow(["path", "label", *(["group"] if groups else [])])
        for index, (picture, label) in enumerate(zip(pictures, labels, strict=True)):
            (folder / "pictures" / f"{index}.png").write_bytes(png(picture))
            rows.writerow([f"pictures/{index}.png", label, *([groups[index]] if groups else [])])
    return folder / "labels.csv"


def as_idx(folder: Path, pictures: np.ndarray, labels: Sequence[int], *, zipped: bool) -> Path:
    """FOLDER/mine-images-idx3-ubyte and mine-labels-idx1-ubyte, with .gz where they are zipped."""
    folder.mkdir(parents=True, exist_ok=True)
    ending, written = (".gz", gzip.compress) if zipped else ("", bytes)
    for name, array in (("images-idx3", pictures), ("labels-idx1", np.asarray(labels, np.uint8))):
        header = bytes([0, 0, 8, array.ndim]) + b"".join(size.to_bytes(4, "big") for size in array.shape)
        (folder / f"mine-{name}-ubyte{ending}").write_bytes(written(header + array.tobytes()))
    return folder / f"mine-images-idx3-ubyte{ending}"
