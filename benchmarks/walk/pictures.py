"""What the stranger brings along: a folder of digits, an archive, a folder of ZIP codes, a cat, a file of 100 MB."""

import csv
from io import BytesIO
from pathlib import Path
from zipfile import ZipFile

import numpy as np
import numpy.typing as npt
from PIL import Image
from skimage import data

from training.datasets import load
from training.fields.kinds import Sources, make
from training.fields.signs import Marks, test_writers

DIGITS, ARCHIVED, ZIPS = 50, 10, 60  # pictures
SEED = 9
ZIP_KINDS = ("clean ZIP", "touching ZIP", "noisy ZIP")
BIG = 100_000_000  # bytes


def lay_out(folder: Path) -> dict[str, str]:
    """Write them all into the folder; what the pictures in `zips/` say, by their names.

    The digits are MNIST's test digits, which no shipped model has learnt from.
    """

    digits = load("mnist-test")
    (folder / "folder").mkdir()
    for number, picture in enumerate(digits.pictures[:DIGITS]):
        (folder / "folder" / f"{number:02}.png").write_bytes(_png(255 - picture))
    with ZipFile(folder / "scans.zip", "w") as archive:
        for number, picture in enumerate(digits.pictures[DIGITS : DIGITS + ARCHIVED]):
            archive.writestr(f"{number}.png", _png(255 - picture))
    Image.fromarray(data.chelsea()).save(folder / "cat.jpg")  # type: ignore[no-untyped-call] # scikit-image has no types
    (folder / "empty.png").touch()
    with (folder / "large.png").open("wb") as large:
        large.truncate(BIG)
    return _zips(folder / "zips")


def _zips(folder: Path) -> dict[str, str]:
    """Five digits beside each other, as `training.fields` writes them; a ZIP has no marks."""
    folder.mkdir()
    made = make(dict.fromkeys(ZIP_KINDS, 1.0), ZIPS, Sources(test_writers(None), Marks({})), SEED)
    truth = {}
    for number, field in enumerate(made):
        name = f"{number:03}.png"
        (folder / name).write_bytes(_png(field.picture))
        truth[f"zips/{name}"] = field.text
    return truth


def _png(pixels: npt.NDArray[np.uint8]) -> bytes:
    Image.fromarray(pixels).save(out := BytesIO(), "PNG")
    return out.getvalue()


def rows(file: Path) -> list[dict[str, str]]:
    """Of a CSV that `lenet5` has written."""
    with file.open(newline="") as lines:
        return list(csv.DictReader(lines))
