"""What is written by hand: the digits of one writer, marks, and a signature."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from training.datasets import font_glyphs
from training.fields.hand import Hand, Ink, Shape, write
from training.fields.signs import Writers

Rgb = npt.NDArray[np.float32]  # (h, w, 3), levels 0..255

BLUE_INK: Final = np.array((0.72, 0.62, 0.32), np.float32)  # of red, green and blue: what the pen takes
BLACK_INK: Final = np.array((0.8, 0.8, 0.76), np.float32)

MARKS: Final[Mapping[str, tuple[float, float]]] = {".": (0.17, 0.0), ",": (0.3, 0.15)}
"""How high a mark is and how far it hangs under the line, in heights of the digits."""


class OneHand:
    """What one person writes: digits of one writer, all alike in slant."""

    def __init__(self, writers: Writers, rng: np.random.Generator) -> None:
        self._pictures = writers.digits.pictures
        self._places = writers.by[int(rng.integers(len(writers.by)))]
        self._slant = float(rng.normal(4, 5))  # degrees

    def line(self, text: str, box: Sequence[int], rng: np.random.Generator) -> tuple[Ink, tuple[int, int]]:
        """A text's ink, and where on the page that stands: within the box, more to the left than to the right."""
        x, y, width, height = box
        shapes = [self._digit(char, rng) if char.isdigit() else _mark(char, rng) for char in text]
        style = Hand(
            height=0.58 * height,
            gap=(0.1, 0.28),
            slant_degrees=self._slant,
            skew_degrees=float(rng.normal(0, 0.8)),
            edge=0.5,
            margins=(0, 0, 0, 0),
        )
        ink: Ink = write(shapes, style, rng).ink
        if (times := 0.94 * width / ink.shape[1]) < 1:
            size = round(times * ink.shape[1]), round(times * ink.shape[0])
            ink = cv2.resize(ink, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        left, top = (width - ink.shape[1]) * rng.uniform(0.25, 0.5), (height - ink.shape[0]) * rng.uniform(0.45, 0.7)
        return ink, (x + round(left), y + round(top))

    def _digit(self, char: str, rng: np.random.Generator) -> Shape:
        return Shape(char, _cut(self._pictures[int(rng.choice(self._places[int(char)]))]))


def penned(sheet: Rgb, line: Ink, at: tuple[int, int], ink: Ink) -> Rgb:
    """Ink (h, w) laid on a sheet at x, y, in place."""
    x, y = at
    part = sheet[y : y + line.shape[0], x : x + line.shape[1]]
    part *= 1 - line[: part.shape[0], : part.shape[1], None] * ink
    return sheet


def signature(rng: np.random.Generator) -> Ink:
    """A name in one sweep."""
    t = np.linspace(0, 1, 500)
    fading = np.exp(-1.4 * t)
    x = 30 + 300 * t + 22 * fading * np.cos(44 * t)
    y = 44 + 26 * fading * (1 + np.exp(-(((t - 0.12) / 0.08) ** 2))) * np.sin(44 * t + 0.6 * np.sin(9 * t))
    points = np.stack([x, y + np.cumsum(rng.normal(0, 0.15, 500))], 1)
    canvas = np.zeros((110, 370), np.uint8)
    cv2.polylines(canvas, [np.rint(points * 8).astype(np.int32)], False, 255, 2, cv2.LINE_AA, 3)
    return canvas.astype(np.float32) / np.float32(255)


def _mark(char: str, rng: np.random.Generator) -> Shape:
    inks, (height, below) = _marks()[char], MARKS[char]
    return Shape(char, inks[int(rng.integers(len(inks)))], height, below)


@cache
def _marks() -> Mapping[str, list[Ink]]:
    glyphs = font_glyphs.load()
    by_hand = glyphs.kinds == "handfont"
    return {char: [_cut(one) for one in glyphs.pictures[by_hand & (glyphs.signs == char)]] for char in MARKS}


def _cut(picture: npt.NDArray[np.uint8]) -> Ink:
    """A picture's ink, 0..1, cut to its box."""
    x, y, width, height = cv2.boundingRect((picture > 40).astype(np.uint8))
    return picture[y : y + height, x : x + width].astype(np.float32) / np.float32(255)
