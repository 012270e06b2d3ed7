"""Sheets of paper with what is printed on them, and what a small scan makes of them."""

import math
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

import cv2
import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

from examples.drawing.pen import BLACK_INK, Rgb, penned, signature

COLOURS: Final = 100  # of a page: as many as a small scan has

Colour = tuple[int, int, int]

PRINT: Final[Colour] = (62, 66, 74)
PALE: Final[Colour] = (120, 134, 140)


@dataclass(frozen=True)
class Letter:
    """What is printed on an envelope."""

    sender: tuple[str, ...]  # lines
    addressee: tuple[str, ...]
    postmark: str


@dataclass(frozen=True)
class Cheque:
    """What is printed on a cheque."""

    drawer: str
    address: tuple[str, ...]  # lines
    date: str
    payee: str
    in_words: str
    memo: str
    code_line: str
    number: str = ""  # where it is not left to be written
    cents: bool = False  # whether they have a box of their own


def envelope(letter: Letter, rng: np.random.Generator) -> Rgb:
    """A letter with a printed address, in which the ZIP is left to be written."""
    image = Image.new("RGB", (1100, 520), (238, 231, 214))
    draw = ImageDraw.Draw(image)
    for row, line in enumerate(letter.sender):
        draw.text((48, 40 + 26 * row), line, PRINT, font("DejaVuSerif", 18))
    for row, line in enumerate(letter.addressee):
        draw.text((476, 274 + 44 * row), line, PRINT, font("DejaVuSerif", 28))
    draw.rectangle((934, 36, 1054, 176), outline=PRINT, width=2, fill=(214, 196, 172))
    for edge in range(934, 1056, 10):  # perforation
        for y in (36, 176):
            draw.ellipse((edge - 3, y - 3, edge + 3, y + 3), fill=(238, 231, 214))
    for edge in range(36, 178, 10):
        for x in (934, 1054):
            draw.ellipse((x - 3, edge - 3, x + 3, edge + 3), fill=(238, 231, 214))
    draw.polygon(((950, 150), (982, 84), (1002, 118), (1020, 98), (1040, 150)), fill=(150, 116, 96))
    draw.ellipse((1010, 56, 1034, 80), fill=(196, 150, 90))
    draw.text((944, 152), "USA FOREVER", PRINT, font("DejaVuSans-Bold", 12))
    sheet = grained(image, rng, 2.0)
    return _postmarked(sheet, (872, 104), letter.postmark)


def cheque(of: Cheque, rng: np.random.Generator) -> Rgb:
    """A bank's cheque on security paper, made out to somebody."""
    image = Image.new("RGB", (1150, 500), (226, 236, 230))
    draw = ImageDraw.Draw(image)
    draw.rectangle((12, 12, 1137, 487), outline=PALE, width=2)
    draw.text((44, 34), of.drawer, PRINT, font("DejaVuSans-Bold", 20))
    for row, line in enumerate(of.address):
        draw.text((44, 62 + 22 * row), line, PRINT, font("DejaVuSans", 15))
    draw.text((896, 44), f"No. {of.number}".rstrip(), PRINT, font("DejaVuSans", 18))
    _line(draw, "Date", (760, 136), 1090)
    draw.text((826, 104), of.date, PRINT, font("STIXGeneralItalic", 26))
    draw.text((44, 176), "PAY TO THE", PRINT, font("DejaVuSans", 13))
    _line(draw, "ORDER OF", (44, 214), 866)
    draw.text((158, 178), of.payee, PRINT, font("STIXGeneralItalic", 32))
    draw.text((880, 190), "$", PRINT, font("DejaVuSans-Bold", 28))
    draw.rectangle((903, 180, 1092, 235), outline=PRINT, width=2)
    if of.cents:
        draw.line((1028, 180, 1028, 235), fill=PRINT, width=2)
    _line(draw, "", (44, 282), 996)
    draw.text((60, 244), of.in_words, PRINT, font("STIXGeneralItalic", 30))
    draw.text((1008, 266), "DOLLARS", PRINT, font("DejaVuSans-Bold", 16))
    draw.text((44, 312), "Desert Valley Bank", PRINT, font("DejaVuSerif-Bold", 20))
    draw.text((44, 338), "Tucson, Arizona", PRINT, font("DejaVuSerif", 15))
    _line(draw, "Memo", (44, 402), 440)
    draw.text((112, 370), of.memo, PRINT, font("STIXGeneralItalic", 26))
    _line(draw, "", (660, 402), 1090)
    draw.text((60, 436), of.code_line, PRINT, font("DejaVuSansMono", 24))
    sheet = grained(image, rng, 1.5) - 16 * _guilloche(image.size[::-1])[:, :, None]
    return penned(sheet, signature(rng), (690, 330), BLACK_INK)


def grained(image: Image.Image, rng: np.random.Generator, level: float) -> Rgb:
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
    small = font("DejaVuSans-Bold", 13)
    for place, char in enumerate(text):
        angle = 2 * math.pi * place / len(text) - math.pi * 0.8
        letter = Image.new("L", (24, 24))
        ImageDraw.Draw(letter).text((12, 12), char, 255, small, anchor="mm")
        turned = letter.rotate(-math.degrees(angle) - 90, resample=Image.Resampling.BICUBIC)
        stamp.paste(turned, (round(x + 51 * math.cos(angle)) - 12, round(y + 51 * math.sin(angle)) - 12), turned)
    for row in range(5):
        points = [(x + 66 + dx, y - 44 + 22 * row + 5 * math.sin(dx / 11)) for dx in range(130)]
        draw.line(points, fill=255, width=2)
    return penned(sheet, np.asarray(stamp, np.float32) / np.float32(255), (0, 0), np.float32(0.55) * BLACK_INK)


def scanned(sheet: Rgb, rng: np.random.Generator) -> Image.Image:
    """A sheet as a small scan has it: a little soft, a little noisy, of few colours."""
    soft = cv2.GaussianBlur(sheet, (0, 0), 0.7) + rng.normal(0, 1.0, (*sheet.shape[:2], 1))
    image = Image.fromarray(np.clip(np.rint(soft), 0, 255).astype(np.uint8))
    return image.quantize(COLOURS, method=Image.Quantize.MAXCOVERAGE, dither=Image.Dither.NONE)


def _line(draw: ImageDraw.ImageDraw, label: str, at: tuple[int, int], end: int) -> None:
    """A line to write on, with a label before it."""
    x, y = at
    small = font("DejaVuSans", 13)
    draw.text((x, y - 14), label, PRINT, small)
    draw.line((x + round(draw.textlength(label, small)) + (8 if label else 0), y, end, y), fill=PRINT, width=2)


@cache
def font(name: str, size: int) -> ImageFont.FreeTypeFont:
    """One of the fonts that matplotlib brings."""
    return ImageFont.truetype(Path(mpl.get_data_path(), "fonts", "ttf", f"{name}.ttf"), size)
