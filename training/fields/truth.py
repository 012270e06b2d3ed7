"""What a field's graph may be read as and still be right."""

from collections.abc import Iterator, Sequence
from typing import Final

from app.fields.automaton import Automaton
from app.fields.formats import FieldFormat, anything
from app.fields.pattern import compiled

SKIPPED: Final = dict.fromkeys("$*#=", "$")
"""Signs that are read as the one symbol for all that is skipped."""

NOTHING: Final = ("",)
"""The texts of a picture where there is nothing to read."""


def right_readings(form: FieldFormat, texts: Sequence[str], written: str = "") -> Iterator[Automaton]:
    """Automata of right readings, the strictest first: sign by sign as it is written, then whatever has a right text.

    `texts` are what the field may be read as, `written` is every sign from left to right, where that is known.
    """
    if written:
        yield compiled({"".join(SKIPPED.get(sign, sign) for sign in written): 0}, skip_marks=False)
    yield (anything() if tuple(texts) == NOTHING else form.automaton).restricted_to(texts)


def amount_texts(digits: str) -> tuple[str, ...]:
    """What an amount of these digits may be read as: where its decimal point is, is not known."""
    return (digits, f"{digits[:-2]}.{digits[-2:]}") if len(digits) > 2 else (digits,)
