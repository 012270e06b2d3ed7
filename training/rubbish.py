"""Pictures of what is no digit, made from digits, strokes, letters and textures, to be learnt as the last class.

Each maker returns a gray picture for `app.imaging.normalize`, dark on white or light on black. What looks like a digit
is left out as far as that can be said beforehand: letters like O, S and z, and straight strokes, which are a 1.
The letters w, x and y are left out too: they are what the figure on unseen shapes is taken with.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from training.datasets import Digits

Picture = npt.NDArray[np.uint8]
Maker = Callable[[Digits, np.random.Generator], Picture]

CHARACTERS = "ACDEFHJKLMNPRTUVXadefhkmnprtuv" + "#%&@$?!*=+<>{}~^"  # none that may be read as a digit
FONTS = (
    "DejaVuSans", "DejaVuSans-Oblique", "DejaVuSansMono", "DejaVuSerif", "DejaVuSerif-Italic", "STIXGeneral",
    "STIXGeneralItalic", "STIXGeneralBol", "cmr10", "cmmi10", "cmss10", "cmti10", "cmtt10",
)  # fmt: skip


def cut(digits: Digits, rng: np.random.Generator) -> Picture:
    """A digit with a part cut off by a straight line, as a wrong segmentation leaves it; 25 to 60 % of its ink."""
    while True:
        index = int(rng.integers(len(digits)))
        if digits.labels[index] == 1:  # half a 1 is a 1
            continue
        picture = digits.pictures[index]
        rows, columns = np.mgrid[: picture.shape[0], : picture.shape[1]]
        angle = rng.choice((0, np.pi)) + rng.normal(0, 0.3)  # mostly upright cuts
        along = columns * np.cos(angle) + rows * np.sin(angle)
        order = np.argsort(along[picture > 0])
        ink = np.cumsum(picture[picture > 0][order])
        place = along[picture > 0][order][np.searchsorted(ink, rng.uniform(0.25, 0.6) * ink[-1])]
        part = np.where(along <= place, picture, 0).astype(np.uint8)
        x, y, width, height = cv2.boundingRect(part)
        if min(width, height) > 3:
            return np.pad(part[y : y + height, x : x + width], 3)


def pair(digits: Digits, rng: np.random.Generator) -> Picture:
    """Two digits, or one and a part of another, side by side and touching."""
    one, other = (_trimmed(digits.pictures[int(index)]) for index in rng.integers(len(digits), size=2))
    if rng.random() < 0.4:
        other = other[:, : max(3, int(other.shape[1] * rng.uniform(0.3, 0.8)))]
    if rng.random() < 0.5:
        one, other = other, one
    overlap = int(rng.integers(-1, 5))
    height = max(one.shape[0], other.shape[0]) + 4
    sheet = np.zeros((height, one.shape[1] + other.shape[1] + 6), np.uint8)
    for picture, left in ((one, 3), (other, max(3, 3 + one.shape[1] - overlap))):
        top = int(rng.integers(0, height - picture.shape[0] + 1))
        place = sheet[top : top + picture.shape[0], left : left + picture.shape[1]]
        np.maximum(place, picture[:, : place.shape[1]], out=place)
    return np.pad(sheet, 3)


def scribble(_: Digits, rng: np.random.Generator) -> Picture:
    """Two to four curves or broken lines of a pen, or a single long one."""
    side = 64
    sheet = np.zeros((side, side), np.uint8)
    lines = int(rng.integers(1, 5))
    for _line in range(lines):
        knots = rng.uniform(8, side - 8, (int(rng.integers(3 if lines > 1 else 6, 9)), 2))
        points = _smooth(knots) if rng.random() < 0.6 else knots
        cv2.polylines(sheet, [np.rint(points).astype(np.int32)], False, 255, int(rng.integers(2, 7)), cv2.LINE_AA)
    return sheet


def cross(_: Digits, rng: np.random.Generator) -> Picture:
    """Straight strokes that cross or fork, a tick, stripes, or a grid."""
    side = 64
    sheet = np.zeros((side, side), np.uint8)
    thickness = int(rng.integers(2, 8))
    count = int(rng.integers(2, 6))
    angle, parallel = rng.uniform(0, np.pi), rng.random() < 0.3
    for step in range(count):
        turn = angle if parallel else angle + rng.uniform(0.3, np.pi - 0.3) * (step % 2) + rng.normal(0, 0.15)
        middle = np.array([side / 2, side / 2]) + rng.normal(0, 5, 2)
        if parallel:
            middle = middle + (step - count / 2) * 12 * np.array([-np.sin(angle), np.cos(angle)])
        reach = rng.uniform(12, 26) * np.array([np.cos(turn), np.sin(turn)])
        ends = np.rint([middle - reach, middle + reach]).astype(int)
        cv2.line(sheet, ends[0].tolist(), ends[1].tolist(), 255, thickness, cv2.LINE_AA)
    return sheet


def letter(_: Digits, rng: np.random.Generator) -> Picture:
    """A letter or sign in a font, unlike any digit, slanted and turned a little."""
    font = _font(FONTS[int(rng.integers(len(FONTS)))])
    character = CHARACTERS[int(rng.integers(len(CHARACTERS)))]
    sheet = Image.new("L", (96, 96))
    ImageDraw.Draw(sheet).text((48, 48), character, 255, font, anchor="mm")
    turned = sheet.rotate(float(rng.uniform(-12, 12)), Image.Resampling.BILINEAR)
    return np.asarray(turned)


def blob(_: Digits, rng: np.random.Generator) -> Picture:
    """A filled shape: a box, an ellipse, a blot; or the outline of a box."""
    side = 64
    sheet = np.zeros((side, side), np.uint8)
    width, height = rng.integers(14, 28, 2).tolist()
    kind = rng.integers(4)
    if kind == 0:
        cv2.rectangle(sheet, (32 - width, 32 - height), (32 + width, 32 + height), 255, -1)
    elif kind == 1:
        cv2.ellipse(sheet, (32, 32), (width, height), float(rng.uniform(0, 180)), 0, 360, 255, -1, cv2.LINE_AA)
    elif kind == 2:
        angles = np.sort(rng.uniform(0, 2 * np.pi, 9))
        radius = rng.uniform(8, 28, (9, 1))
        outline = 32 + radius * np.stack((np.cos(angles), np.sin(angles)), 1)
        cv2.fillPoly(sheet, [np.rint(outline).astype(np.int32)], 255, cv2.LINE_AA)
    else:  # corners tell it from a 0
        cv2.rectangle(sheet, (32 - width, 32 - height), (32 + width, 32 + height), 255, int(rng.integers(2, 7)))
    return sheet


def texture(_: Digits, rng: np.random.Generator) -> Picture:
    """What a photo, a table or an empty scan may look like: noise of any grain, over a slope of light."""
    side = int(rng.choice((28, 32, 48, 64, 100)))
    noise = rng.normal(0, 1, (side, side))
    for grain in rng.choice((1, 2, 4, 8, 16), int(rng.integers(1, 4)), replace=False):
        small = rng.normal(0, 1, (max(2, side // int(grain)),) * 2)
        noise += rng.uniform(0, 3) * cv2.resize(small, (side, side), interpolation=cv2.INTER_CUBIC)
    if rng.random() < 0.25:
        noise = rng.uniform(-1, 1, (side, side))
    if rng.random() < 0.15:
        noise = np.sign(noise)
    slope = np.linspace(-1, 1, side) * rng.normal(0, 1) + np.linspace(-1, 1, side)[:, None] * rng.normal(0, 1)
    levels = 128 + rng.uniform(3, 60) * noise + 40 * slope
    return np.clip(levels, 0, 255).astype(np.uint8)


MAKERS: dict[str, tuple[float, Maker]] = {
    "cut": (0.15, cut),
    "pair": (0.2, pair),
    "scribble": (0.18, scribble),
    "cross": (0.1, cross),
    "letter": (0.16, letter),
    "blob": (0.06, blob),
    "texture": (0.1, texture),
}
"""By kind: its share of all rubbish, and its maker."""


def make(digits: Digits, count: int, rng: np.random.Generator) -> list[Picture]:
    """`count` pictures of no digit, the kinds mixed by their shares; pieces come from `digits` (n, h, w), ink 255."""
    shares = np.array([share for share, _ in MAKERS.values()])
    kinds = rng.choice(len(MAKERS), count, p=shares / shares.sum())
    makers = [maker for _, maker in MAKERS.values()]
    return [makers[kind](digits, rng) for kind in kinds]


def _trimmed(picture: Picture) -> Picture:
    x, y, width, height = cv2.boundingRect(picture)
    return picture[y : y + height, x : x + width]


def _smooth(knots: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """A Catmull-Rom spline through the knots (k, 2)."""
    padded = np.vstack((knots[:1], knots, knots[-1:]))
    t = np.linspace(0, 1, 10, endpoint=False)[:, None]
    parts = []
    for a, b, c, d in zip(padded, padded[1:], padded[2:], padded[3:], strict=False):
        parts.append(b + 0.5 * t * (c - a + t * (2 * a - 5 * b + 4 * c - d + t * (3 * (b - c) + d - a))))
    return np.vstack(parts)


@cache
def _font(name: str) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), 56)
