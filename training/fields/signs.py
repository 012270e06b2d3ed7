"""Where the signs of a string come from: the digits of one writer, and marks of fonts and of pens."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from training import datasets
from training.continental import in_other_form
from training.datasets import Digits, font_glyphs, mnist
from training.fields.hand import Ink, Shape
from training.split import HELD_OUT, by_writer, every_tenth

BOX = 20  # pixels of the longer side of MNIST's digits
RUN = 100  # digits of the test set that are taken for one writer's
STRANGERS = 15  # who are taken for the writers of a set that names none
MARKS = ".,-/=$*#"
PEN_MARKS = 750  # pictures of each kind in the set `marks`, whose first two kinds are dots and dashes

SIZES: Mapping[str, tuple[float, float]] = {
    ".": (0.10, 0.2),
    ",": (0.2, 0.36),
    "-": (0.06, 0.14),
    "=": (0.22, 0.4),
    "/": (0.95, 1.4),
    "$": (1.0, 1.4),
    "*": (0.5, 0.8),
    "#": (0.8, 1.1),
}
"""How high a mark is, in heights of the digits."""

PLACES: Mapping[str, tuple[float, float]] = {
    ".": (-0.06, 0.06),
    ",": (0.08, 0.22),
    "-": (-0.6, -0.35),
    "=": (-0.42, -0.2),
    "/": (0.0, 0.25),
    "$": (0.05, 0.2),
    "*": (-0.5, -0.1),
    "#": (-0.05, 0.1),
}
"""How far under the line its lower edge is."""


@dataclass(frozen=True)
class Writers:
    """Digits by who wrote them."""

    digits: Digits
    by: tuple[Mapping[int, npt.NDArray[np.int64]], ...]  # a writer: of each of the ten digits that they wrote, where

    def write(self, text: str, rng: np.random.Generator, *, other_forms: float = 0.0) -> list[Shape]:
        """The digits of `text` as one writer, drawn from those who wrote all of them, writes each somewhere.

        `other_forms` is the probability, for a 1, a 7 and a 9 each, that this hand gives it another form than American
        writers do. Raises ValueError when nobody wrote all of them.
        """
        needed = {int(char) for char in text}
        for index in rng.permutation(len(self.by)).tolist():
            places = self.by[index]
            if needed <= places.keys():
                pictures = [self.digits.pictures[int(rng.choice(places[int(char)]))] for char in text]
                if other_forms:
                    other = {char for char in "179" if rng.random() < other_forms}
                    pictures = [
                        in_other_form(picture, int(char), rng) if char in other else picture
                        for picture, char in zip(pictures, text, strict=True)
                    ]
                return [_digit(picture, char) for picture, char in zip(pictures, text, strict=True)]
        raise ValueError(f"no writer has all digits of {text}")


@dataclass(frozen=True)
class Marks:
    """Marks by sign."""

    inks: Mapping[str, tuple[Ink, ...]]

    def write(self, char: str, rng: np.random.Generator) -> Shape:
        """One of that sign, at its size and place."""
        inks = self.inks[char]
        ink = inks[int(rng.integers(len(inks)))]
        return Shape(char, ink, float(rng.uniform(*SIZES[char])), float(rng.uniform(*PLACES[char])))


def writers(data_dir: Path | None, *, held_out: bool) -> Writers:
    """MNIST's training digits by writer: of those that are held out, or of all others.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    of = mnist.writers(data_dir)
    parts = by_writer(of, HELD_OUT)
    return grouped(datasets.load("mnist-train", data_dir), of, parts.held_out if held_out else parts.learnt)


def strangers(data_dir: Path | None, name: str) -> Writers:
    """The digits of a set that does not say who wrote which, but every tenth, dealt out to `STRANGERS` by turns.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    digits = datasets.load(name, data_dir)
    return grouped(digits, (np.arange(len(digits)) % STRANGERS).astype(np.int32), every_tenth(len(digits)).learnt)


def test_writers(data_dir: Path | None) -> Writers:
    """MNIST's test digits by runs of `RUN`: its writers follow one another, but where each begins isn't recorded.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    digits = datasets.load("mnist-test", data_dir)
    return grouped(digits, (np.arange(len(digits)) // RUN).astype(np.int32), np.arange(len(digits)))


def grouped(digits: Digits, of: npt.NDArray[np.int32], index: npt.NDArray[np.int64]) -> Writers:
    """The digits at `index` by their writers; `of` (n,) says who wrote each of `digits`."""
    by: dict[int, dict[int, list[int]]] = {}
    for place in index.tolist():
        by.setdefault(int(of[place]), {}).setdefault(int(digits.labels[place]), []).append(place)
    arrays = [{digit: np.array(places) for digit, places in one.items()} for _, one in sorted(by.items())]
    return Writers(digits, tuple(arrays))


def marks(data_dir: Path | None, *, held_out: bool) -> Marks:
    """Marks of fonts, and dots and dashes of pens: every tenth of the pens' and every fifth of the fonts', or the rest.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    glyphs = font_glyphs.load(data_dir)
    usual = glyphs.kinds != "odd"
    inks: dict[str, list[Ink]] = {}
    for char in sorted(set(MARKS) - {"="}):
        drawn = [_cut(picture) for picture in glyphs.pictures[usual & (glyphs.signs == char)]]
        inks[char] = [ink for place, ink in enumerate(drawn) if (place % 5 == 4) == held_out]
    pens = datasets.load("marks", data_dir)
    for char, start in ((".", 0), ("-", PEN_MARKS)):
        tenth = every_tenth(PEN_MARKS)
        index = start + (tenth.held_out if held_out else tenth.learnt)
        inks[char] += [_cut(picture) for picture in pens.pictures[index]]
    inks["="] = [_doubled(ink) for ink in inks["-"]]
    return Marks({char: tuple(of_char) for char, of_char in inks.items()})


def _doubled(dash: Ink) -> Ink:
    """An equals sign: the dash twice."""
    height, width = dash.shape
    ink = np.zeros((height + max(height + 3, width // 2), width), np.float32)
    ink[:height] = ink[-height:] = dash
    return ink


def _digit(picture: npt.NDArray[np.uint8], char: str) -> Shape:
    ink = _cut(picture)
    # MNIST's box is that of the longer side; a digit that is wider than high is written lower, but not so much
    return Shape(char, ink, height=float(np.sqrt(min(1.0, ink.shape[0] / BOX))))


def _cut(picture: npt.NDArray[np.uint8]) -> Ink:
    x, y, width, height = cv2.boundingRect((picture > 25).astype(np.uint8))
    return picture[y : y + height, x : x + width].astype(np.float32) / np.float32(255)
