"""Courtesy amounts of real bank cheques: gray crops with their digits and a box round each (ORAND-CAR-A, ICFHR 2014).

The crops are those of the competition on handwritten digit strings (Diem et al. 2014), part A; the boxes are somebody
else's. Signs that are no digits (points, dashes) have no box, and don't stand in the text.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
import numpy.typing as npt

from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import Array, locate
from training.errors import DatasetError

URL = "https://github.com/Fzkuji/Labeled_ORAND-CAR-A"
LICENCE = "boxes: MIT; pictures: ORAND's, published for research"
COUNT: Final = 680
TITLE = f"cheque_amounts, {COUNT} courtesy amounts of ORAND-CAR-A"

FOLDS = 5
"""Into which the amounts are parted for cross-validation."""

MISLABELLED: Final[Mapping[str, str]] = {
    "a_car_000285": "89800",
    "a_car_000340": "7393",
    "a_car_000525": "22107",
    "a_car_000672": "32712",
    "a_car_000768": "17146",
    "a_car_000817": "1119",
    "a_car_000819": "671",
}
"""What pictures say whose digits in the file are wrong; found among what was misread with confidence, so not all."""

FILE = NpzFile(
    path="cheque_amounts/car_a_dev.npz",
    arrays=(
        ArraySpec("pixels", (5885530,), "|u1", "6a492ee493a8a42cd33fa6dd1d268c06250ca22d4f64e831e2e495f432fd40f3"),
        ArraySpec("shapes", (680, 2), "<i4", "d8e979b67d0e99c66f4eacf21ef3b786ca3c69d5b2b3d389be7fa00bea85edbb"),
        ArraySpec("offsets", (681,), "<i8", "a4b02c15168b5114e0ea0150631f8f9383b083606c048645e1b7b12a846bf84b"),
        ArraySpec("labels", (680,), "<U6", "7cb659eeebc91050bf9fc6a22bbee9339faa1069b4e7274f2ea724b884f7ab98"),
        ArraySpec("ids", (680,), "<U12", "2934879db4a0570d68cda17cc7e52752b57750da7ad76a8560e616cfa25e3933"),
        ArraySpec("boxes_xywh", (3112, 4), "<f4", "fec0b3dd9fe2586ed5062afb8ef93fbf96bd3eca066104adc1f25e7d84585637"),
        ArraySpec("box_digit", (3112,), "|u1", "4fbba3d064f683135f9b441fd40c3afb694b9a0ecc7b7e64e0536c2600659689"),
        ArraySpec("box_start", (681,), "<i4", "c0a960c1de5411c2fbdb26c4ab0ac6686961f88648b67c19c26b570600c657d9"),
    ),
    by_hand=(
        f"It is made by hand from the pictures a_car_000154 to a_car_000833 of {URL} with their digits and boxes: "
        "pixels holds the gray pictures one after the other, shapes their height and width (int32), offsets where each "
        "begins and the last ends (int64), labels the digits and ids the names as text, boxes_xywh left, top, width "
        "and height of every digit (float32), box_digit the digit (uint8), box_start where each picture's boxes begin "
        "and the last ends (int32); save them with numpy.savez_compressed."
    ),
)


@dataclass(frozen=True)
class Amount:
    """One field."""

    name: str
    picture: npt.NDArray[np.uint8]  # (h, w), gray, dark on light
    text: str  # its digits, without separators
    boxes: npt.NDArray[np.float32]  # (len(text), 4): x, y, width, height in pixels

    @property
    def fold(self) -> int:
        """Of cross-validation, by the name alone: 0 .. FOLDS - 1."""
        return int.from_bytes(hashlib.sha256(self.name.encode()).digest()[:4], "big") % FOLDS


def load(data_dir: Path | None = None) -> list[Amount]:
    """All of them, in the order of their names.

    Raises:
        DatasetError: the file is missing, damaged or another one, or its parts don't fit together.
    """
    location = locate(FILE, data_dir)
    return parse(FILE.read(location), str(location))


def parse(arrays: Mapping[str, Array], name: str) -> list[Amount]:
    """The amounts in the arrays of a file called `name`. Raises DatasetError when a text and its boxes disagree."""
    shapes, offsets, start = arrays["shapes"], arrays["offsets"], arrays["box_start"]
    amounts = []
    for index, text in enumerate(arrays["labels"].tolist()):
        boxes = slice(start[index], start[index + 1])
        if "".join(map(str, arrays["box_digit"][boxes].tolist())) != text:
            raise DatasetError(f"{name}: the boxes of {arrays['ids'][index]} don't say {text}")
        picture = arrays["pixels"][offsets[index] : offsets[index + 1]].reshape(shapes[index])
        amounts.append(Amount(str(arrays["ids"][index]), picture, text, arrays["boxes_xywh"][boxes]))
    return amounts
