"""A pair of IDX files, gzipped or not: pictures (n, h, w) and labels (n,), both unsigned bytes."""

import gzip
import math
import struct
import zlib
from functools import partial
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np

from app.imaging.decode import Gray
from training.datasets import idx
from training.datasets.source import Array
from training.errors import DatasetError
from training.own.digits import NOT_A_DIGIT, Item
from training.own.pictures import LIMITS

MAX_CONTENT_BYTES = 2 * 1024**3
"""Unzipped; the 60,000 pictures of MNIST are 47 million."""


def labels_beside(pictures: Path) -> Path:
    """The labels' file of a pictures' file that is named as MNIST's are: images-idx3 and labels-idx1.

    Raises:
        DatasetError: it is not there.
    """
    name = pictures.name.replace("images", "labels").replace("idx3", "idx1")
    for candidate in (name, name.removesuffix(".gz"), f"{name}.gz"):
        if candidate != pictures.name and (beside := pictures.with_name(candidate)).is_file():
            return beside
    raise DatasetError(f"Beside {pictures} there is no file {name}; name the labels' file with --labels.")


def items(pictures: Path, labels: Path) -> list[Item]:
    """Picture i with label i; 10 is the label of what is no digit.

    Raises:
        DatasetError: a file is damaged or no such IDX file, or they do not fit together.
    """
    images, classes = _read(pictures, 3), _read(labels, 1)
    if len(images) != len(classes):
        raise DatasetError(f"{pictures} has {len(images)} pictures, but {labels} has {len(classes)} labels.")
    if len(wrong := np.flatnonzero(classes > NOT_A_DIGIT)):
        raise DatasetError(
            f"{labels}: label {wrong[0]} (from 0) is {classes[wrong[0]]}; "
            "known are 0 to 9, and 10 for what is no digit."
        )
    return [
        Item(f"{pictures}[{index}]", int(label), None, partial(_row, images, index))
        for index, label in enumerate(classes)
    ]


def _row(images: Array, index: int) -> Gray:
    row: Gray = images[index]
    return row


def _read(file: Path, dimensions: int) -> Array:
    """The array in an IDX file of so many dimensions; no more is unzipped than its header says."""
    with file.open("rb") as stream:
        zipped = stream.read(2) == b"\x1f\x8b"
    try:
        with gzip.open(file) if zipped else file.open("rb") as stream:
            return _parse(cast("BinaryIO", stream), dimensions, str(file))
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise DatasetError(f"{file} is damaged or cut off: {error}.") from error


def _parse(stream: BinaryIO, dimensions: int, name: str) -> Array:
    header = stream.read(4 + 4 * dimensions)
    if header[:4] != bytes([0, 0, idx.UNSIGNED_BYTE, dimensions]) or len(header) < 4 + 4 * dimensions:
        raise DatasetError(f"{name} is no IDX file of unsigned bytes in {dimensions} dimensions.")
    shape = struct.unpack(f">{dimensions}I", header[4:])
    if (size := math.prod(shape)) > MAX_CONTENT_BYTES or math.prod(shape[1:]) > LIMITS.max_pixels or not size:
        raise DatasetError(f"{name} says that it holds {' x '.join(map(str, shape))} bytes: nothing, or too much.")
    content = stream.read(size + 1)
    if len(content) != size:
        raise DatasetError(
            f"{name} should hold {size} bytes after its header, but holds {'less' if len(content) < size else 'more'}."
        )
    return np.frombuffer(content, np.uint8).reshape(shape)
