"""Draws the pages of this example: `python -m examples.ocr.make_pages [FOLDER]`, with the training's install.

What is written by hand is of MNIST's test digits, a run of neighbours for one writer, and of marks of fonts like
handwriting; what is printed is of the fonts that matplotlib brings. Everything is drawn from one seed.
"""

import sys
import tomllib
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Final

import numpy as np
from PIL import Image, ImageDraw

from examples.drawing.paper import PALE, PRINT, Cheque, Letter, cheque, envelope, font, grained, scanned
from examples.drawing.pen import BLACK_INK, BLUE_INK, OneHand, Rgb, penned
from training.fields.hand import Ink
from training.fields.signs import test_writers

HERE: Final = Path(__file__).parent
SEED: Final = 9

LETTER: Final = Letter(
    sender=("Sonora Seed Company", "41 Mill Road", "Bisbee, AZ 85603"),
    addressee=("Ms. Harriet Lindqvist", "2207 East Copper Street", "Tucson, Arizona"),
    postmark="BISBEE AZ   NOV 24",
)
CHEQUE: Final = Cheque(
    drawer="HARRIET LINDQVIST",
    address=("2207 East Copper Street", "Tucson, Arizona 85719"),
    date="November 24, 2026",
    payee="Sonora Seed Company",
    in_words="One thousand two hundred eighty-four and 50/100",
    memo="spring seed, 12 sacks",
    code_line="|:122105278|:   30561294||   1047",
)

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
    pages: list[tuple[str, Callable[[np.random.Generator], Rgb], Ink]] = [
        ("envelope.png", partial(envelope, LETTER), BLUE_INK),
        ("cheque.png", partial(cheque, CHEQUE), BLACK_INK),
        ("deposit_slip.png", deposit_slip, BLUE_INK),
    ]
    for page, draw, ink in pages:
        rng = np.random.default_rng((SEED, len(page)))
        sheet = draw(rng)
        hand = OneHand(test_writers(None), rng)
        for place in places[page]:
            if text := WRITTEN[page][place["name"]]:
                penned(sheet, *hand.line(text, place["box"], rng), ink)
        scanned(sheet, rng).save(folder / page, optimize=True)


def deposit_slip(rng: np.random.Generator) -> Rgb:
    """A form for cheques that are paid in: by the number of their bank, and their amount."""
    image = Image.new("RGB", (680, 500), (244, 240, 226))
    draw = ImageDraw.Draw(image)
    draw.text((36, 28), "DEPOSIT SLIP", PRINT, font("DejaVuSans-Bold", 24))
    draw.text((36, 62), "Desert Valley Bank, Tucson, Arizona", PRINT, font("DejaVuSerif", 17))
    draw.text(
        (36, 100),
        "Cheques and other items are received subject to the terms of the account.",
        PALE,
        font("DejaVuSans", 13),
    )
    draw.text((36, 166), "ACCOUNT NUMBER", PRINT, font("DejaVuSans", 17))
    draw.text((122, 222), "BANK NUMBER (ABA)", PRINT, font("DejaVuSans", 14))
    draw.text((422, 222), "AMOUNT $", PRINT, font("DejaVuSans", 14))
    draw.rectangle((290, 146, 632, 204), outline=PALE, width=2)
    for row in range(3):
        draw.text((40, 264 + 50 * row), f"CHEQUE {row + 1}", PRINT, font("DejaVuSans", 12))
        draw.line((116, 298 + 50 * row, 378, 298 + 50 * row), fill=PALE, width=2)
        draw.line((416, 298 + 50 * row, 632, 298 + 50 * row), fill=PALE, width=2)
    draw.text((330, 426), "TOTAL", PRINT, font("DejaVuSans-Bold", 18))
    draw.rectangle((416, 406, 632, 464), outline=PRINT, width=2)
    return grained(image, rng, 2.0)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
