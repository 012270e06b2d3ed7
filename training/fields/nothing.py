"""Pictures that somebody may send as a field though there is none in them: only ever measured on."""

from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from training import datasets
from training.fields.hand import Hand, Ink, Shape, write
from training.fields.paper import NOISY, PLAIN, Paper, on_paper

Picture = npt.NDArray[np.uint8]
Maker = Callable[[Path | None, np.random.Generator], Picture]

HEIGHT = 40.0  # pixels of what is written
WORDS = (
    "PAY TO THE ORDER OF", "Pay against this", "Memo", "DOLLARS", "Signature", "Account number", "Not negotiable",
    "Postleitzahl", "Absender", "Street address", "City and state", "Date", "Void", "Banco de Chile", "Serie", "Ort",
)  # fmt: skip
FONTS = ("DejaVuSans", "DejaVuSans-Bold", "DejaVuSerif", "DejaVuSansMono", "STIXGeneral", "cmr10", "cmss10")


def letters(data_dir: Path | None, rng: np.random.Generator) -> Picture:
    """Handwritten letters w, x and y in a row.

    Raises:
        DatasetError: the set `letters` is missing or damaged.
    """
    pictures = _letters(data_dir)
    chosen = pictures[rng.integers(len(pictures), size=int(rng.integers(3, 8)))]
    shapes = [Shape("x", picture.astype(np.float32) / np.float32(255)) for picture in chosen]
    return _scanned(write(shapes, Hand(height=HEIGHT, gap=(0.05, 0.4)), rng).ink, rng)


def words(_: Path | None, rng: np.random.Generator) -> Picture:
    """Printed words."""
    font = _font(FONTS[int(rng.integers(len(FONTS)))], int(rng.integers(24, 56)))
    text = WORDS[int(rng.integers(len(WORDS)))]
    left, top, right, bottom = (round(side) for side in font.getbbox(text))
    sheet = Image.new("L", (right - left + 20, bottom - top + 20))
    ImageDraw.Draw(sheet).text((10 - left, 10 - top), text, 255, font)
    return _scanned(np.asarray(sheet, np.float32) / np.float32(255), rng)


def signature(_: Path | None, rng: np.random.Generator) -> Picture:
    """A name in one sweep: loops that get flatter to the right, and a line under it now and then."""
    turns = rng.uniform(3, 8)
    t = np.linspace(0, 1, 400)
    fading = np.exp(-t * rng.uniform(0, 2.5))
    tall = 1 + rng.uniform(0, 1.5) * np.exp(-(((t - rng.uniform(0, 0.3)) / 0.08) ** 2))
    angle = 2 * np.pi * turns * t + rng.normal(0, 0.5) * np.sin(2 * np.pi * t * rng.uniform(1, 3))
    x = 20 + t * rng.uniform(140, 300) + 14 * fading * np.cos(angle) + np.cumsum(rng.normal(0, 0.3, 400))
    y = 45 + 17 * fading * tall * np.sin(angle) + 6 * np.sin(2 * np.pi * t * rng.uniform(0.3, 1.2))
    return _scanned(_drawn([np.stack([x, y], 1)], rng, line=rng.random() < 0.4), rng)


def scribble(_: Path | None, rng: np.random.Generator) -> Picture:
    """Strokes to and fro, crosses, or a crossing out."""
    strokes = []
    for _stroke in range(int(rng.integers(1, 6))):
        knots = np.stack([np.sort(rng.uniform(15, 260, 12)), rng.uniform(10, 80, 12)], 1)
        if rng.random() < 0.5:
            rng.shuffle(knots)
        strokes.append(knots)
    return _scanned(_drawn(strokes, rng, line=False), rng)


def blank(_: Path | None, rng: np.random.Generator) -> Picture:
    """Paper without ink."""
    size = int(rng.integers(30, 90)), int(rng.integers(80, 320))
    paper = (PLAIN, Paper(light=0.3, texture=14, guilloche=0.6, blur=1, noise=9, jpeg=0.5))[int(rng.integers(2))]
    return on_paper(np.zeros(size, np.float32), HEIGHT, paper, rng)


NOTHING: Mapping[str, Maker] = {
    "letters": letters,
    "printed words": words,
    "signatures": signature,
    "scribble": scribble,
    "blank paper": blank,
}
"""By kind."""


def make(kind: str, count: int, data_dir: Path | None, seed: int) -> list[Picture]:
    """`count` pictures of a kind; each has a generator of its own."""
    return [NOTHING[kind](data_dir, np.random.default_rng((seed, number))) for number in range(count)]


def _drawn(strokes: list[npt.NDArray[np.float64]], rng: np.random.Generator, *, line: bool) -> Ink:
    points = np.vstack(strokes)
    width, height = int(points[:, 0].max()) + 20, int(points[:, 1].max()) + 20
    sheet = np.zeros((max(height, 60), max(width, 80)), np.uint8)
    thickness = int(rng.integers(1, 4))
    for stroke in strokes:
        cv2.polylines(sheet, [np.rint(stroke * 8).astype(np.int32)], False, 255, thickness, cv2.LINE_AA, 3)
    if line:
        cv2.line(sheet, (5, height - 15), (width - 5, height - 15), 255, 1)
    return sheet.astype(np.float32) / np.float32(255)


def _scanned(ink: Ink, rng: np.random.Generator) -> Picture:
    return on_paper(ink, HEIGHT, (PLAIN, NOISY)[int(rng.integers(2))], rng)


@cache
def _letters(data_dir: Path | None) -> Picture:
    return datasets.load("letters", data_dir).pictures


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)
