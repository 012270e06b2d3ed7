"""The kinds of fields that are made, each as one seeded function of where its signs come from."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from app.fields.formats import FieldFormat, field_format
from training.fields.hand import Hand, Shape, Written, write
from training.fields.paper import CHEQUE, NOISY, PLAIN, Paper, on_paper
from training.fields.signs import Marks, Writers


@dataclass(frozen=True)
class Field:
    """One picture and what is written in it."""

    picture: npt.NDArray[np.uint8]  # (h, w), gray
    text: str  # the truth as a reading says it: digits, or a plain decimal where an amount shows cents
    written: Written

    @property
    def digits(self) -> str:
        """The digits that stand in the picture."""
        return self.written.digits


@dataclass(frozen=True)
class Sources:
    """Where signs come from."""

    writers: Writers
    marks: Marks


Maker = Callable[[Sources, np.random.Generator], Field]


def clean_zip(sources: Sources, rng: np.random.Generator) -> Field:
    """Five digits apart from one another on clean paper."""
    return _field(_zip(rng), sources, _hand(rng), PLAIN, rng)


def touching_zip(sources: Sources, rng: np.random.Generator) -> Field:
    """Five digits on clean paper, most of which touch or overlap a neighbour."""
    return _field(_zip(rng), sources, replace(_hand(rng), touching=0.7), PLAIN, rng)


def noisy_zip(sources: Sources, rng: np.random.Generator) -> Field:
    """Five digits apart on a paper with a texture, ruled, out of focus, compressed."""
    return _field(_zip(rng), sources, _hand(rng), NOISY, rng)


def zip_plus_four(sources: Sources, rng: np.random.Generator) -> Field:
    """Five digits, a dash, four digits."""
    four = "".join(map(str, rng.integers(10, size=4)))
    hand = replace(_hand(rng), touching=0.1)
    return _field(f"{_zip(rng)}-{four}", sources, hand, _one_of((PLAIN, NOISY), rng), rng)


def amount(sources: Sources, rng: np.random.Generator) -> Field:
    """An amount with its marks, on security paper."""
    written, plain = amount_text(rng)
    hand = replace(_hand(rng), gap=(0.02, 0.35), touching=float(rng.choice((0.0, 0.15, 0.5))), raised=0.06, varied=0.13)
    left, top, right, bottom = (rng.uniform(0, 0.5, 4) * (rng.random(4) < 0.8)).tolist()  # a crop may be tight
    hand = replace(hand, margins=(left, top, right, bottom), edge=float(rng.uniform(0.4, 0.85)))
    field = _field(
        written,
        sources,
        hand,
        _one_of((CHEQUE, CHEQUE, NOISY, PLAIN), rng),
        rng,
        other_forms=0.35,
        zeros=float(rng.uniform(0.7, 1.05)),
    )
    return replace(field, text=plain)


def digits(sources: Sources, rng: np.random.Generator) -> Field:
    """One to twelve digits of any spacing on any paper."""
    text = "".join(map(str, rng.integers(10, size=int(rng.integers(1, 13)))))
    hand = replace(_hand(rng), touching=float(rng.choice((0, 0.3, 0.8))), gap=(0.03, 0.5), varied=0.1)
    return _field(text, sources, hand, _one_of((PLAIN, NOISY, CHEQUE), rng), rng, other_forms=0.25)


KINDS: Mapping[str, Maker] = {
    "clean ZIP": clean_zip,
    "touching ZIP": touching_zip,
    "noisy ZIP": noisy_zip,
    "ZIP+4": zip_plus_four,
    "amount": amount,
    "digits": digits,
}
"""By name."""


def format_of(kind: str) -> FieldFormat:
    """What a caller who sends a field of this kind says of it."""
    if "ZIP" in kind:
        return field_format("postal_code", country="US")
    return field_format("amount" if kind == "amount" else "digits")


def make(kinds: Mapping[str, float], count: int, sources: Sources, seed: int) -> list[Field]:
    """`count` fields, the kinds mixed by their shares; each has a generator of its own, so that more are only more."""
    names, shares = list(kinds), np.array(list(kinds.values()))
    made = []
    for number in range(count):
        rng = np.random.default_rng((seed, number))
        made.append(KINDS[names[int(rng.choice(len(names), p=shares / shares.sum()))]](sources, rng))
    return made


def amount_text(rng: np.random.Generator) -> tuple[str, str]:
    """An amount as it is written, and as a reading says it."""
    whole = str(int(10 ** rng.uniform(0, 6.3)))
    if rng.random() < 0.5:  # round sums are many
        whole = str(int(whole[:2]) * 10 ** max(0, len(whole) - 2))
    point, comma = (".", ",") if rng.random() < 0.6 else (",", ".")
    grouped = f"{int(whole):,}".replace(",", point) if rng.random() < 0.65 else whole
    cents = f"{int(rng.integers(100)):02d}"
    kind = rng.choice(("whole", "cents", "fraction", "dashes"), p=(0.55, 0.2, 0.1, 0.15))
    plain, written = whole, grouped
    if kind == "cents":
        plain, written = f"{whole}.{cents}", f"{grouped}{comma}{cents}"
    elif kind == "fraction":
        plain, written = f"{whole}.{cents}", f"{grouped} {cents}/100"
    elif kind == "dashes":
        written = grouped + str(rng.choice((".-", ",--", "-", "=")))
    if rng.random() < 0.25:
        written = str(rng.choice(("$", "*", "#", "**", "$*"))) + written
    if rng.random() < 0.1:
        written += str(rng.choice(("*", "#", "**")))
    return written, plain


def _zip(rng: np.random.Generator) -> str:
    """A five-digit code in the range that is in use."""
    return f"{int(rng.integers(501, 99951)):05d}"


def _hand(rng: np.random.Generator) -> Hand:
    tight = rng.uniform(0.04, 0.2)
    return Hand(
        height=float(np.exp(rng.uniform(np.log(24), np.log(64)))),
        gap=(tight, tight + rng.uniform(0.05, 0.35)),
        slant_degrees=float(np.clip(rng.normal(6, 9), -20, 35)),
        skew_degrees=float(np.clip(rng.normal(0, 1.5), -4, 4)),
        edge=float(rng.uniform(0.3, 0.6)),
        margins=tuple(rng.uniform(0.15, 0.7, 4).tolist()),
    )


def _field(
    text: str,
    sources: Sources,
    hand: Hand,
    paper: Paper,
    rng: np.random.Generator,
    *,
    other_forms: float = 0.0,
    zeros: float = 1.0,
) -> Field:
    """`text` as the field's own truth: its digits. A blank in it is room between the signs beside it.

    `zeros` is the size of this hand's zeros beside that of its other digits.
    """
    of_digits = iter(sources.writers.write("".join(filter(str.isdigit, text)), rng, other_forms=other_forms))
    shapes: list[Shape] = []
    for before, char in zip(" " + text, text, strict=False):
        if char == " ":
            continue
        shape = next(of_digits) if char.isdigit() else sources.marks.write(char, rng)
        if char == "0":
            shape = replace(shape, height=shape.height * zeros)
        shapes.append(replace(shape, before=float(rng.uniform(0.4, 1)) if before == " " else 0.0))
    written = write(shapes, hand, rng)
    return Field(on_paper(written.ink, hand.height, paper, rng), written.digits, written)


def _one_of(papers: tuple[Paper, ...], rng: np.random.Generator) -> Paper:
    return papers[int(rng.integers(len(papers)))]
