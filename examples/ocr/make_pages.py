"""Draws the pages of this example: `python -m examples.ocr.make_pages [FOLDER]`, with the training's install.

What is written by hand is of MNIST's test digits, a run of neighbours for one writer, and of marks of fonts like
handwriting; what is printed is of the fonts that matplotlib brings. Everything is drawn from one seed.
"""

import math
import sys
import tomllib
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from training.datasets import font_glyphs
from training.fields.hand import Hand, Ink, Shape, write
from training.fields.signs import Writers, test_writers

HERE: Final = Path(__file__).parent
SEED: Final = 9
COLOURS: Final = 100  # of a page: as many as a small scan has

Colour = tuple[int, int, int]
Rgb = npt.NDArray[np.float32]  # (h, w, 3), levels 0..255

PRINT: Final[Colour] = (62, 66, 74)
PALE: Final[Colour] = (120, 134, 140)
BLUE_INK: Final = np.array((0.72, 0.62, 0.32), np.float32)  # of red, green and blue: what the pen takes
BLACK_INK: Final = np.array((0.8, 0.8, 0.76), np.float32)

MARKS: Final[Mapping[str, tuple[float, float]]] = {".": (0.17, 0.0), ",": (0.3, 0.15)}
"""How high a mark is and how far it hangs under the line, in heights of the digits."""

WRITTEN: Final[Mapping[str, Mapping[str, str]]] = {
    "envelope.png": {"zip": "85719"},
    "cheque.png": {"amount": "1,284.50", "number": "1047"},
    "deposit_slip.png": {
        "account": "30561294",
        "bank_1": "122105278",
        "amount_1": "1,284.50",
        "bank_2": "021000021",
        "amount_2": "360.00",
        "bank_3": "",
        "amount_3": "",
        "total": "1,644.50",
    },
}
"""What is written in each field; a row of the slip stays empty."""


def main(folder: Path) -> None:
    """Draw every page into a folder."""
    places = tomllib.loads((HERE / "fields.toml").read_text())
    for page, (draw, ink) in {
        "envelope.png": (envelope, BLUE_INK),
        "cheque.png": (cheque, BLACK_INK),
        "deposit_slip.png": (deposit_slip, BLUE_INK),
    }.items():
        rng = np.random.default_rng((SEED, len(page)))
        sheet = draw(rng)
        hand = OneHand(test_writers(None), rng)
        for place in places[page]:
            if text := WRITTEN[page][place["name"]]:
                _penned(sheet, *hand.line(text, place["box"], rng), ink)
        _scanned(sheet, rng).save(folder / page, optimize=True)


def envelope(rng: np.random.Generator) -> Rgb:
    """A letter with a printed address, in which the ZIP is left to be written."""
    image = Image.new("RGB", (1100, 520), (238, 231, 214))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(("Sonora Seed Company", "41 Mill Road", "Bisbee, AZ 85603")):
        draw.text((48, 40 + 26 * row), line, PRINT, _font("DejaVuSerif", 18))
    for row, line in enumerate(("Ms. Harriet Lindqvist", "2207 East Copper Street", "Tucson, Arizona")):
        draw.text((476, 274 + 44 * row), line, PRINT, _font("DejaVuSerif", 28))
    draw.rectangle((934, 36, 1054, 176), outline=PRINT, width=2, fill=(214, 196, 172))
    for edge in range(934, 1056, 10):  # perforation
        for y in (36, 176):
            draw.ellipse((edge - 3, y - 3, edge + 3, y + 3), fill=(238, 231, 214))
    for edge in range(36, 178, 10):
        for x in (934, 1054):
            draw.ellipse((x - 3, edge - 3, x + 3, edge + 3), fill=(238, 231, 214))
    draw.polygon(((950, 150), (982, 84), (1002, 118), (1020, 98), (1040, 150)), fill=(150, 116, 96))
    draw.ellipse((1010, 56, 1034, 80), fill=(196, 150, 90))
    draw.text((944, 152), "USA FOREVER", PRINT, _font("DejaVuSans-Bold", 12))
    sheet = _grained(image, rng, 2.0)
    return _postmarked(sheet, (872, 104), "BISBEE AZ   NOV 24")


def cheque(rng: np.random.Generator) -> Rgb:
    """A bank's cheque on security paper, made out to somebody."""
    image = Image.new("RGB", (1150, 500), (226, 236, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((12, 12, 1137, 487), outline=PALE, width=2)
    draw.text((44, 34), "HARRIET LINDQVIST", PRINT, _font("DejaVuSans-Bold", 20))
    for row, line in enumerate(("2207 East Copper Street", "Tucson, Arizona 85719")):
        draw.text((44, 62 + 22 * row), line, PRINT, _font("DejaVuSans", 15))
    draw.text((896, 44), "No.", PRINT, _font("DejaVuSans", 18))
    _line(draw, "Date", (760, 136), 1090)
    draw.text((826, 104), "November 24, 2026", PRINT, _font("STIXGeneralItalic", 26))
    draw.text((44, 176), "PAY TO THE", PRINT, _font("DejaVuSans", 13))
    _line(draw, "ORDER OF", (44, 214), 866)
    draw.text((158, 178), "Sonora Seed Company", PRINT, _font("STIXGeneralItalic", 32))
    draw.text((880, 190), "$", PRINT, _font("DejaVuSans-Bold", 28))
    draw.rectangle((903, 180, 1092, 235), outline=PRINT, width=2)
    _line(draw, "", (44, 282), 996)
    draw.text((60, 244), "One thousand two hundred eighty-four and 50/100", PRINT, _font("STIXGeneralItalic", 30))
    draw.text((1008, 266), "DOLLARS", PRINT, _font("DejaVuSans-Bold", 16))
    draw.text((44, 312), "Desert Valley Bank", PRINT, _font("DejaVuSerif-Bold", 20))
    draw.text((44, 338), "Tucson, Arizona", PRINT, _font("DejaVuSerif", 15))
    _line(draw, "Memo", (44, 402), 440)
    draw.text((112, 370), "spring seed, 12 sacks", PRINT, _font("STIXGeneralItalic", 26))
    _line(draw, "", (660, 402), 1090)
    draw.text((60, 436), "|:122105278|:   30561294||   1047", PRINT, _font("DejaVuSansMono", 24))
    sheet = _grained(image, rng, 1.5) - 16 * _guilloche(image.size[::-1])[:, :, None]
    return _penned(sheet, _signature(rng), (690, 330), BLACK_INK)


def deposit_slip(rng: np.random.Generator) -> Rgb:
    """A form for cheques that are paid in: by the number of their bank, and their amount."""
    image = Image.new("RGB", (680, 500), (244, 240, 226))
    draw = ImageDraw.Draw(image)
    draw.text((36, 28), "DEPOSIT SLIP", PRINT, _font("DejaVuSans-Bold", 24))
    draw.text((36, 62), "Desert Valley Bank, Tucson, Arizona", PRINT, _font("DejaVuSerif", 17))
    draw.text(
        (36, 100),
        "Cheques and other items are received subject to the terms of the account.",
        PALE,
        _font("DejaVuSans", 13),
    )
    draw.text((36, 166), "ACCOUNT NUMBER", PRINT, _font("DejaVuSans", 17))
    draw.text((122, 222), "BANK NUMBER (ABA)", PRINT, _font("DejaVuSans", 14))
    draw.text((422, 222), "AMOUNT $", PRINT, _font("DejaVuSans", 14))
    draw.rectangle((290, 146, 632, 204), outline=PALE, width=2)
    for row in range(3):
        draw.text((40, 264 + 50 * row), f"CHEQUE {row + 1}", PRINT, _font("DejaVuSans", 12))
        draw.line((116, 298 + 50 * row, 378, 298 + 50 * row), fill=PALE, width=2)
        draw.line((416, 298 + 50 * row, 632, 298 + 50 * row), fill=PALE, width=2)
    draw.text((330, 426), "TOTAL", PRINT, _font("DejaVuSans-Bold", 18))
    draw.rectangle((416, 406, 632, 464), outline=PRINT, width=2)
    return _grained(image, rng, 2.0)


class OneHand:
    """What one person writes: the digits of one run of MNIST's test set, all alike in slant."""

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


def _penned(sheet: Rgb, line: Ink, at: tuple[int, int], ink: Ink) -> Rgb:
    """Ink (h, w) laid on a sheet at x, y, in place."""
    x, y = at
    part = sheet[y : y + line.shape[0], x : x + line.shape[1]]
    part *= 1 - line[: part.shape[0], : part.shape[1], None] * ink
    return sheet


def _signature(rng: np.random.Generator) -> Ink:
    """A name in one sweep."""
    t = np.linspace(0, 1, 500)
    fading = np.exp(-1.4 * t)
    x = 30 + 300 * t + 22 * fading * np.cos(44 * t)
    y = 44 + 26 * fading * (1 + np.exp(-(((t - 0.12) / 0.08) ** 2))) * np.sin(44 * t + 0.6 * np.sin(9 * t))
    points = np.stack([x, y + np.cumsum(rng.normal(0, 0.15, 500))], 1)
    canvas = np.zeros((110, 370), np.uint8)
    cv2.polylines(canvas, [np.rint(points * 8).astype(np.int32)], False, 255, 2, cv2.LINE_AA, 3)
    return canvas.astype(np.float32) / np.float32(255)


def _grained(image: Image.Image, rng: np.random.Generator, level: float) -> Rgb:
    """What is printed, on paper that is not quite even."""
    sheet = np.asarray(image, np.float32)
    small = rng.standard_normal((sheet.shape[0] // 5, sheet.shape[1] // 5), np.float32)
    grain = cv2.resize(small, sheet.shape[1::-1], interpolation=cv2.INTER_CUBIC)
    light = np.linspace(0, -7, sheet.shape[1], dtype=np.float32)
    return sheet + (level * grain + light)[:, :, None]


def _guilloche(shape: tuple[int, int]) -> npt.NDArray[np.float32]:
    """Fine wavy lines, 0..1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    waves = rows + 9 * np.sin(columns / 38) + 4 * np.sin(columns / 11)
    other = rows - 9 * np.sin(columns / 38 + 1)
    lines = np.maximum(0.5 + 0.5 * np.sin(waves * 2 * math.pi / 11), 0.5 + 0.5 * np.sin(other * 2 * math.pi / 14))
    fine: npt.NDArray[np.float32] = (lines**4).astype(np.float32)
    return fine


def _postmarked(sheet: Rgb, centre: tuple[int, int], text: str) -> Rgb:
    """A round postmark with the text on its rim, and waves through the stamp."""
    stamp = Image.new("L", sheet.shape[1::-1])
    draw = ImageDraw.Draw(stamp)
    x, y = centre
    for radius in (62, 40):
        draw.ellipse((x - radius, y - radius, x + radius, y + radius), outline=255, width=2)
    font = _font("DejaVuSans-Bold", 13)
    for place, char in enumerate(text):
        angle = 2 * math.pi * place / len(text) - math.pi * 0.8
        letter = Image.new("L", (24, 24))
        ImageDraw.Draw(letter).text((12, 12), char, 255, font, anchor="mm")
        turned = letter.rotate(-math.degrees(angle) - 90, resample=Image.Resampling.BICUBIC)
        stamp.paste(turned, (round(x + 51 * math.cos(angle)) - 12, round(y + 51 * math.sin(angle)) - 12), turned)
    for row in range(5):
        points = [(x + 66 + dx, y - 44 + 22 * row + 5 * math.sin(dx / 11)) for dx in range(130)]
        draw.line(points, fill=255, width=2)
    return _penned(sheet, np.asarray(stamp, np.float32) / np.float32(255), (0, 0), np.float32(0.55) * BLACK_INK)


def _scanned(sheet: Rgb, rng: np.random.Generator) -> Image.Image:
    """A sheet as a small scan has it: a little soft, a little noisy, of few colours."""
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.7) + rng.normal(0, 1.0, (*sheet.shape[:2], 1))
    image = Image.fromarray(np.clip(np.rint(soft), 0, 255).astype(np.uint8))
    return image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def _line(draw: ImageDraw.ImageDraw, label: str, at: tuple[int, int], end: int) -> None:
    """A line to write on, with a label before it."""
    x, y = at
    font = _font("DejaVuSans", 13)
    draw.text((x, y - 14), label, PRINT, font)
    draw.line((x + round(draw.textlength(label, font)) + (8 if label else 0), y, end, y), fill=PRINT, width=2)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
