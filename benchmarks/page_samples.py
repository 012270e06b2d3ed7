"""The samples of the web page: digits as they come, hard cases, and what is no digit.

python -m benchmarks.page_samples app/static/samples

They are of MNIST's test part, which no model has learnt from, or drawn by the program.
"""

import sys
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw

from benchmarks.forms import FORMS, Digit, encode, gray
from benchmarks.input_forms import mnist
from training.continental import in_other_form
from training.rubbish import scribble

Picture = npt.NDArray[np.uint8]


def in_form(name: str, number: int, side: int = 200) -> Callable[[Picture], bytes]:
    """Test digit `number` in a form of `benchmarks.forms`, made small enough for a page."""

    def make(digits: Picture) -> bytes:
        digit: Digit = digits[number]
        data = FORMS[name](digit, np.random.default_rng(number))
        pixels = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
        assert pixels is not None
        scale = side / max(pixels.shape[:2])
        if scale < 1:
            pixels = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        grays = (pixels == pixels[:, :, :1]).all()
        return encode(Image.fromarray(pixels[:, :, 0] if grays else pixels[:, :, ::-1]), optimize=True)

    return make


def small_in_a_corner(digits: Picture) -> bytes:
    """A digit of 20 pixels in a corner of a sheet of 160."""
    sheet = np.full((160, 160), 255, np.uint8)
    sheet[126:154, 6:34] -= digits[12]
    return encode(gray(sheet), optimize=True)


def barred_seven(digits: Picture) -> bytes:
    """A 7 as it is written in much of Europe."""
    picture = in_other_form(digits[0], 7, np.random.default_rng(1))
    return encode(gray(255 - np.pad(picture, 4)), optimize=True)


def cat(_digits: Picture) -> bytes:
    """The head of a cat, drawn with a pen."""
    image = Image.new("L", (480, 480), 255)
    pen = ImageDraw.Draw(image)
    pen.line([(110, 240), (90, 80), (190, 140), (290, 140), (390, 80), (370, 240)], fill=0, width=14, joint="curve")
    pen.arc((100, 130, 380, 400), 0, 180, fill=0, width=14)
    for x in (185, 295):
        pen.ellipse((x - 16, 216, x + 16, 248), fill=0)
    pen.polygon([(226, 286), (254, 286), (240, 304)], fill=0)
    for side in (-1, 1):
        pen.arc((240 + min(0, side * 50), 292, 240 + max(0, side * 50), 334), 20, 160, fill=0, width=10)
        for rise in (-16, 6, 28):
            pen.line([(240 + side * 70, 300 + rise / 3), (240 + side * 200, 290 + rise)], fill=0, width=7)
    return encode(image.resize((160, 160), Image.Resampling.LANCZOS), optimize=True)


def scribbled(digits: Picture) -> bytes:
    """A few curves of a pen."""
    picture = scribble(digits, np.random.default_rng(16))
    return encode(gray(255 - np.pad(picture, 6)), optimize=True)


SAMPLES: dict[str, Callable[[Picture], bytes]] = {
    "clear-3.png": in_form("inverted", 18),
    "chalk-5.png": in_form("plain", 15),
    "photo-4.png": in_form("photo", 4),
    "lined-2.png": in_form("lined_paper", 1),
    "pencil-6.png": in_form("pencil", 11),
    "hairline-8.png": in_form("thin_pen", 61),
    "corner-9.png": small_in_a_corner,
    "barred-7.png": barred_seven,
    "specks-0.png": in_form("specks", 3),
    "open-4.png": in_form("inverted", 2130),
    "eight-or-six.png": in_form("inverted", 3762),
    "cut-3.png": in_form("inverted", 9750),
    "scribble.png": scribbled,
    "cat.png": cat,
}


def main() -> None:
    """Write the pictures into the folder given."""
    folder = Path(sys.argv[1])
    digits, _ = mnist("t10k")
    for name, make in SAMPLES.items():
        (folder / name).write_bytes(make(digits))


if __name__ == "__main__":
    main()
