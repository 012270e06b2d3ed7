"""The fields that the web page has as samples: postal codes, amounts and numbers as they come, hard ones, and none.

python -m benchmarks.page_fields app/static/samples/fields

Their digits are of MNIST's test part, which no model has learnt from; marks, papers and the signature are drawn by the
program.
"""

import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from benchmarks.forms import encode, gray
from training.fields import nothing
from training.fields.hand import Hand, Ink, Shape, write
from training.fields.paper import CHEQUE, PLAIN, Paper, on_paper
from training.fields.signs import Writers, test_writers

PAGES = Path("examples/ocr")
HEIGHT = 44  # pixels of the digits
SPACE = 0.5  # of a digit's height, between words
RULED = Paper(contrast=(0.7, 0.7), light=0.3, texture=12, rules=1, blur=0.8, noise=6)
CHALK = Paper(contrast=(0.8, 0.8), noise=4, inverted=1)
FADED = Paper(contrast=(0.4, 0.4), light=0.35, texture=14, blur=1.1, noise=8)


def written(text: str, seed: int, paper: Paper = PLAIN, **hand: float) -> Callable[[Writers], bytes]:
    """`text` by one writer on some paper; what else is said of the hand is that of `Hand`."""

    def make(writers: Writers) -> bytes:
        rng = np.random.default_rng(seed)
        digits = iter(writers.write("".join(filter(str.isdigit, text)), rng))
        words = [[next(digits) if char.isdigit() else mark(char) for char in word] for word in text.split()]
        shapes = [replace(word[0], before=SPACE * (place > 0)) for place, word in enumerate(words)]
        shapes = [shape for first, word in zip(shapes, words, strict=True) for shape in (first, *word[1:])]
        ink = write(shapes, Hand(height=HEIGHT, margins=(0.5, 0.45, 0.5, 0.45), **hand), rng).ink
        return encode(gray(on_paper(ink, HEIGHT, paper, rng)), optimize=True)

    return make


def mark(char: str) -> Shape:
    """A point, a comma, a dash or a slash of a pen."""
    ink = np.zeros((64, 64), np.uint8)
    start, stop, height, below = {
        ".": ((30, 32), (34, 32), 0.13, 0.0),
        ",": ((36, 12), (26, 52), 0.3, 0.16),
        "-": ((4, 34), (60, 30), 0.12, -0.4),
        "/": ((48, 2), (16, 62), 1.2, 0.1),
    }[char]
    cv2.line(ink, start, stop, 255, 4 if char == "/" else 12, cv2.LINE_AA)
    x, y, width, high = cv2.boundingRect(ink)
    return Shape(char, _share(ink[y : y + high, x : x + width]), height, below)


def _share(ink: npt.NDArray[np.uint8]) -> Ink:
    return ink.astype(np.float32) / np.float32(255)


def cut_from(page: str, name: str, margin: int = 0) -> Callable[[Writers], bytes]:
    """A field of the example's pages, as `fields.toml` has it."""

    def make(_writers: Writers) -> bytes:
        fields = tomllib.loads((PAGES / "fields.toml").read_text())[page]
        x, y, width, height = next(one["box"] for one in fields if one["name"] == name)
        part = (x - margin, y - margin, x + width + margin, y + height + margin)
        with Image.open(PAGES / page) as image:
            return encode(image.convert("RGB").crop(part).quantize(64), optimize=True)

    return make


def signature(_writers: Writers) -> bytes:
    """A name in one sweep."""
    return encode(gray(nothing.signature(None, np.random.default_rng(4))), optimize=True)


SAMPLES: dict[str, Callable[[Writers], bytes]] = {  # some are sure and some are not, and two are misread
    "zip-clear.png": written("90210", 13),
    "zip-touching.png": written("60637", 9, touching=1.0, overlap=0.1),
    "zip-ruled.png": written("10027", 4, RULED, skew_degrees=3, slant_degrees=8),
    "zip-envelope.png": cut_from("envelope.png", "zip"),
    "zip-four.png": written("85719-3402", 4),
    "zip-faded.png": written("48197", 11, FADED, touching=0.6),
    "amount-comma.png": written("1,350.00", 1, slant_degrees=6),
    "amount-security.png": written("720.00", 8, CHEQUE),
    "amount-cheque.png": cut_from("cheque.png", "amount"),
    "amount-hundredths.png": written("318 50/100", 13),
    "bank.png": cut_from("deposit_slip.png", "bank_1"),
    "chalk.png": written("299792458", 17, CHALK),
    "signature.png": signature,
}


def main() -> None:
    """Write the pictures into the folder given."""
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    writers = test_writers(None)
    for name, make in SAMPLES.items():
        (folder / name).write_bytes(make(writers))


if __name__ == "__main__":
    main()
