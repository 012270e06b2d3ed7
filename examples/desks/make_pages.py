"""Draws the pages of these examples: `python -m examples.desks.make_pages [FOLDER]`, with the training's install.

What is written by hand is of MNIST's training digits, a run of neighbours for one writer: the network has learnt from
them, so that these pages show how the service is used, and not how well it reads. Everything is drawn from one seed.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np

from examples.desks.cheque_clerk import CENTS, DOLLARS
from examples.desks.postal_sorter import ZIP
from examples.drawing.paper import Cheque, Letter, cheque, envelope, scanned
from examples.drawing.pen import BLACK_INK, BLUE_INK, OneHand, Rgb, penned
from training import datasets
from training.fields.hand import Ink
from training.fields.signs import RUN, Writers, grouped

HERE: Final = Path(__file__).parent
SEED: Final = 11
QUALITY: Final = 75  # of the pages' JPEG

Drawn = tuple[str, Rgb, np.random.Generator]  # a page's name, what is on it, and what its scan's noise is drawn from

LETTERS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("85719", ("Ms. Harriet Lindqvist", "2207 East Copper Street", "Tucson, AZ")),
    ("02139", ("Okafor & Sons, Booksellers", "14 Pearl Street", "Cambridge, MA")),
    ("60614", ("Mr. Tomasz Wrona", "2140 North Halsted Street", "Chicago, IL")),
    ("10027", ("Dr. Amina Yusuf", "512 West 122nd Street", "New York, NY")),
    ("94607", ("The Folding Chair Co-op", "3288 Webster Street", "Oakland, CA")),
    ("", ("Mr. Elias Brandt", "77 Juniper Lane", "Boulder, CO")),
    ("98103", ("Ms. Kaori Shimizu", "4416 Fremont Avenue North", "Seattle, WA")),
    ("55406", ("Lakeside Piano Repair", "3015 Minnehaha Avenue", "Minneapolis, MN")),
    ("30307", ("Mrs. Dolores Whitfield", "986 Euclid Avenue NE", "Atlanta, GA")),
    ("73069", ("Prairie Weather Office", "120 David Boren Boulevard", "Norman, OK")),
)
"""The ZIP that is written on each envelope, if any, and what is printed above it."""

CHEQUES: Final[Sequence[tuple[str, str, str, str]]] = (
    ("1047", "1,284.50", "One thousand two hundred eighty-four and 50/100", "spring seed, 12 sacks"),
    ("1048", "360.00", "Three hundred sixty and 00/100", "irrigation hose"),
    ("1049", "75.20", "Seventy-five and 20/100", "two rakes"),
    ("1050", "918.35", "Nine hundred eighteen and 35/100", "greenhouse film"),
    ("1051", "46.00", "Forty-six and 00/100", "delivery"),
    ("1052", "", "Two hundred five and 90/100", "compost"),
    ("1053", "2,730.14", "Two thousand seven hundred thirty and 14/100", "seed drill, part payment"),
    ("1054", "589.60", "Five hundred eighty-nine and 60/100", "fencing"),
)
"""The number and the amount that are written on each cheque, if any, the amount in words and the memo."""


def main(folder: Path) -> None:
    """Draw every page into the folders `letters` and `cheques`."""
    digits = datasets.load("mnist-train")
    writers = grouped(digits, (np.arange(len(digits)) // RUN).astype(np.int32), np.arange(len(digits)))
    for pages, draw in (("letters", letters), ("cheques", cheques)):
        (folder / pages).mkdir(parents=True, exist_ok=True)
        for name, sheet, rng in draw(writers):
            scanned(sheet, rng).convert("RGB").save(folder / pages / f"{name}.jpg", quality=QUALITY, optimize=True)


def letters(writers: Writers) -> Iterator[Drawn]:
    """Each envelope."""
    for place, (zip_code, addressee) in enumerate(LETTERS, 1):
        rng = np.random.default_rng((SEED, 1, place))
        sender = ("Sonora Seed Company", "41 Mill Road", "Bisbee, AZ 85603")
        sheet = envelope(Letter(sender, addressee, "BISBEE AZ   NOV 24"), rng)
        yield f"{place:02}", written(sheet, {ZIP.box: zip_code}, BLUE_INK, writers, rng), rng


def cheques(writers: Writers) -> Iterator[Drawn]:
    """Each cheque."""
    for place, (number, amount, in_words, memo) in enumerate(CHEQUES, 1):
        rng = np.random.default_rng((SEED, 2, place))
        printed = Cheque(
            drawer="HARRIET LINDQVIST",
            address=("2207 East Copper Street", "Tucson, Arizona 85719"),
            date="November 24, 2026",
            payee="Sonora Seed Company",
            in_words=in_words,
            memo=memo,
            code_line=f"|:122105278|:   30561294||   {number}",
            number=number,
            cents=True,
        )
        dollars, _, cents = amount.partition(".")
        fields = {DOLLARS.box: dollars, CENTS.box: cents}
        yield number, written(cheque(printed, rng), fields, BLACK_INK, writers, rng), rng


def written(
    sheet: Rgb,
    fields: Mapping[tuple[int, int, int, int], str],
    ink: Ink,
    writers: Writers,
    rng: np.random.Generator,
) -> Rgb:
    """A sheet with each text in its box, all by one hand."""
    hand = OneHand(writers, rng)
    for box, text in fields.items():
        if text:
            penned(sheet, *hand.line(text, box, rng), ink)
    return sheet


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else HERE)
