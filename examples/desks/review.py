"""The page on which a person sees what was not accepted: one file, with its pictures in it."""

from base64 import b64encode
from collections.abc import Sequence
from html import escape
from mimetypes import guess_type
from pathlib import Path
from string import Template

from lenet5_client import Lenet5Error
from lenet5_client.schemas import Character, ReadResponse

from examples.desks.pages import Page, Reading

ENLARGED = 2  # pixels of the screen for one of the page
SURE = 0.98  # probability of a character that is not pointed out
SHOWN = 0.001  # probability of an alternative

WORDS = {
    "blank": "nothing is written here",
    "too_small": "the writing is too small",
    "low_contrast": "the writing is too pale",
    "not_a_digit": "something here is no digit",
    "low_confidence": "not sure enough",
    "ambiguous_cut": "it is not clear where one digit ends and the next begins",
    "no_digits": "there are no digits",
    "length_mismatch": "the number of digits is not right",
    "format_invalid": "no such field can say this",
}
"""The service's reasons, for people."""


def page(name: str, rejected: Sequence[Page], *, total: int) -> str:
    """HTML that needs nothing else: no network, no other file."""
    template = Template(Path(__file__).with_name("review.html").read_text())
    return template.substitute(
        name=escape(name),
        rejected=len(rejected),
        total=total,
        pages="".join(map(_page, rejected)) or "<p>Nothing is left to do.</p>",
    )


def _page(one: Page) -> str:
    name = escape(one.file.name)
    kind = guess_type(one.file.name)[0] or "application/octet-stream"
    whole = f'<img src="{_data(kind, one.file.read_bytes())}" alt="{name}, the whole page">'
    fields = "".join(_field(one, reading) for reading in one.readings)
    return f"<article><h2>{name}</h2>{fields}<details><summary>The whole page</summary>{whole}</details></article>"


def _field(of: Page, reading: Reading) -> str:
    label = f"{of.file.stem}-{reading.field.name}"
    known = reading.text if reading.accepted else ""  # what nobody has looked at is not saved as if somebody had
    return (
        f'<section class="{"accepted" if reading.accepted else "rejected"}">'
        f"<h3>{escape(reading.field.name)}</h3>{_picture(reading)}<p>{escape(_verdict(reading))}</p>"
        f'<label for="{escape(label)}">It says</label>'
        f'<input id="{escape(label)}" value="{escape(known)}" inputmode="decimal" autocomplete="off"'
        f' data-page="{escape(of.file.name)}" data-field="{escape(reading.field.name)}">'
        f"{_alternatives(reading)}</section>"
    )


def _verdict(reading: Reading) -> str:
    if isinstance(reading.answer, Lenet5Error):
        return reading.answer.message
    sure = f"right with a probability of {reading.confidence:.3f}, and {reading.answer.threshold:.3f} is asked for"
    why = "; ".join(WORDS.get(reason, reason) for reason in reading.reasons)
    return f"{reading.text or 'Not read'}: {sure}" + (f": {why}." if why else ": accepted.")


def _picture(reading: Reading) -> str:
    """The field with a box for each character, as they were found."""
    if not reading.crop:
        return ""
    _, _, width, height = reading.field.box
    characters = reading.answer.characters if isinstance(reading.answer, ReadResponse) else []
    return (
        f'<svg viewBox="0 0 {width} {height + 16}" width="{ENLARGED * width}" role="img"'
        f' aria-label="{escape(reading.field.name)}, as written">'
        f'<image href="{_data("image/png", reading.crop)}" width="{width}" height="{height}"/>'
        f"{''.join(_box(one, height) for one in characters)}</svg>"
    )


def _box(one: Character, height: int) -> str:
    x, y, width, tall = one.box
    sure = "sure" if one.probability >= SURE else "unsure"
    return (
        f'<rect class="{sure}" x="{x}" y="{y}" width="{width}" height="{tall}"/>'
        f'<text class="{sure}" x="{x + width / 2}" y="{height + 12}">{escape(one.char)}</text>'
    )


def _alternatives(reading: Reading) -> str:
    """Buttons that put another text into the input."""
    if not isinstance(reading.answer, ReadResponse):
        return ""
    buttons = "".join(
        f'<button type="button" value="{escape(one.text)}">{escape(one.text)} '
        f"<small>{one.probability:.3f}</small></button>"
        for one in reading.answer.alternatives
        if one.text and one.probability >= SHOWN
    )
    return f'<div class="alternatives">{buttons}</div>'


def _data(kind: str, content: bytes) -> str:
    return f"data:{kind};base64,{b64encode(content).decode()}"
