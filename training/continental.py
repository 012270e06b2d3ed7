"""The forms of digits that American writers, and so MNIST, hardly know: a 1 with a flag or a foot, a 7 with a bar.

And, on South American cheques, a 9 like a P. They are drawn onto MNIST's own digits, with strokes of the digit's own
width. Printed digits, which have such forms too, come from fonts.
"""

from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from training.datasets import Digits

Picture = npt.NDArray[np.uint8]
Point = npt.NDArray[np.float64]

ENLARGED = 4  # times: strokes are drawn on a finer grid, and reduced
FONTS = (
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic", "DejaVuSans-Bold",
    "STIXGeneral", "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmss10", "cmti10", "cmtt10",
)  # fmt: skip


def continental(digits: Digits, count: int, rng: np.random.Generator) -> Digits:
    """`count` of the ones and sevens, each with a stroke or two more."""
    index = rng.choice(np.flatnonzero(np.isin(digits.labels, (1, 7))), count)
    pictures = [
        _one(digits.pictures[i], rng) if digits.labels[i] == 1 else _seven(digits.pictures[i], rng) for i in index
    ]
    return Digits("continental", np.stack(pictures), digits.labels[index])


def in_other_form(picture: Picture, digit: int, rng: np.random.Generator) -> Picture:
    """A picture (28, 28) of a 1, 7 or 9 in another form of that digit, (h, w); of any other digit, as it is."""
    forms = {1: _one, 7: _seven, 9: _nine}
    return forms[digit](picture, rng) if digit in forms else picture


def printed(count: int, rng: np.random.Generator) -> Digits:
    """`count` digits of fonts, (n, 64, 64), turned a little."""
    labels = rng.integers(0, 10, count)
    fonts = [ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), 44) for name in FONTS]
    pictures = []
    for label in labels:
        sheet = Image.new("L", (64, 64))
        ImageDraw.Draw(sheet).text((32, 32), str(label), 255, fonts[int(rng.integers(len(fonts)))], anchor="mm")
        pictures.append(np.asarray(sheet.rotate(float(rng.uniform(-8, 8)), Image.Resampling.BILINEAR)))
    return Digits("printed", np.stack(pictures), labels)


def _one(picture: Picture, rng: np.random.Generator) -> Picture:
    """A flag down to the left from its top, mostly; a foot, sometimes."""
    top, bottom, width = _ends(picture)
    height = bottom[1] - top[1]
    strokes = []
    flag, foot = rng.random() < 0.85, rng.random() < 0.35
    if flag or not foot:
        length, angle = rng.uniform(0.2, 0.6) * height, np.deg2rad(rng.uniform(25, 65))
        strokes.append((top, top + length * np.array([-np.sin(angle), np.cos(angle)])))
    if foot:
        reach = rng.uniform(0.15, 0.35) * height
        slope = np.array([1, rng.normal(0, 0.08)])
        strokes.append((bottom - reach * slope, bottom + reach * rng.uniform(0.6, 1.2) * slope))
    return _drawn(picture, strokes, width)


def _seven(picture: Picture, rng: np.random.Generator) -> Picture:
    """A bar across the stem, about half way down."""
    rows = np.flatnonzero(picture.max(axis=1))
    row = int(rows[0] + rng.uniform(0.42, 0.62) * len(rows))
    columns = np.flatnonzero(picture[row] > 64)
    middle = np.array([columns.mean() if len(columns) else picture.shape[1] / 2, row])
    reach = rng.uniform(0.15, 0.32) * len(rows) * np.array([1, rng.normal(0, 0.15)])
    return _drawn(picture, [(middle - reach, middle + reach)], _ends(picture)[2])


def _nine(picture: Picture, _: np.random.Generator) -> Picture:
    """Its loop to the right of the stem."""
    return picture[:, ::-1]


def _ends(picture: Picture) -> tuple[Point, Point, float]:
    """The top and the bottom of a stroke, (x, y) in pixels, and its width."""
    rows, columns = np.nonzero(picture > 64)
    top = np.array([columns[rows == rows.min()].mean(), rows.min() + 1.0])
    bottom = np.array([columns[rows == rows.max()].mean(), rows.max() - 1.0])
    distance = cv2.distanceTransform((picture > 64).astype(np.uint8), cv2.DIST_L2, 5)
    return top, bottom, float(np.clip(4 * distance[rows, columns].mean() - 2, 1.2, 5))


def _drawn(picture: Picture, strokes: list[tuple[Point, Point]], width: float) -> Picture:
    """The picture with straight strokes more, in a frame that holds them."""
    margin = 10
    frame = np.pad(picture, margin)
    fine = np.zeros((frame.shape[0] * ENLARGED, frame.shape[1] * ENLARGED), np.uint8)
    for ends in strokes:
        one, other = (np.rint((end + margin + 0.5) * ENLARGED).astype(int).tolist() for end in ends)
        cv2.line(fine, one, other, 255, max(1, round(width * ENLARGED)), cv2.LINE_AA)
    added = cv2.resize(fine, (frame.shape[1], frame.shape[0]), interpolation=cv2.INTER_AREA)
    return np.maximum(frame, added.astype(np.uint8))
