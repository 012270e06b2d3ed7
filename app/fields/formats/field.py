"""One field's format: the kind of field, and the strings that a caller allows or expects."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Final, Literal

from app.errors import InvalidParameter
from app.fields.automaton import Automaton
from app.fields.formats.amount import amount
from app.fields.formats.check import Check, checked
from app.fields.formats.digits import digits, of_pattern
from app.fields.formats.postal_code import postal_code
from app.fields.pattern import compiled

Kind = Literal["digits", "postal_code", "amount"]

MOST_ALLOWED: Final = 100_000
"""Strings that a caller may allow."""
LONGEST_ALLOWED: Final = 64
"""Characters of one of them."""

AMOUNT_TEXT: Final = re.compile(r"[0-9]+(?:\.[0-9]{2})?")


@dataclass(frozen=True, eq=False)
class FieldFormat:
    """What a field may hold."""

    kind: Kind
    country: str | None  # of a postal code
    automaton: Automaton
    expected: str | None  # the text whose probability is asked for

    def valid(self, text: str) -> bool:
        """Whether the field may have this text."""
        return self.automaton.says(text)


def field_format(
    kind: Kind = "digits",
    *,
    country: str | None = None,
    length: int | None = None,
    min_length: int | None = None,
    max_length: int | None = None,
    pattern: str | None = None,
    check: Check | None = None,
    allowed: Sequence[str] | None = None,
    expected: str | None = None,
) -> FieldFormat:
    """The format that a caller describes.

    Raises InvalidParameter for what contradicts itself, CountryNotSupported for a country whose postal codes are none
    of digits.
    """
    forms = {"length": length, "min_length": min_length, "max_length": max_length, "pattern": pattern}
    given = {name for name, value in {**forms, "check": check, "country": country}.items() if value is not None}
    if misplaced := sorted(given - PARAMETERS[kind]):
        raise _misplaced(misplaced[0], kind)
    if kind == "digits":
        automaton = _digits(given & forms.keys(), length, min_length, max_length, pattern)
        automaton = automaton if check is None else checked(automaton, check)
    elif kind == "amount":
        automaton = amount()
    elif country is None:
        raise InvalidParameter("A postal code needs its country, such as US.", parameter="country")
    else:
        country = country.upper()
        automaton = postal_code(country)
    if allowed is not None:
        automaton = _restricted(automaton, kind, tuple(allowed))
    if expected is not None:
        expected = _text(expected, kind, "expected")
        if not automaton.says(expected):
            raise InvalidParameter(
                f"The expected string {expected!r} is none that the field may hold.",
                parameter="expected",
                value=expected,
            )
    return FieldFormat(kind, country, automaton, expected)


PARAMETERS: Final[dict[Kind, frozenset[str]]] = {
    "digits": frozenset({"length", "min_length", "max_length", "pattern", "check"}),
    "postal_code": frozenset({"country"}),
    "amount": frozenset(),
}
"""What may be said of a field of each kind."""


def _digits(given: set[str], length: int | None, least: int | None, most: int | None, pattern: str | None) -> Automaton:
    for one in ("pattern", "length"):
        if one in given and len(given) > 1:
            raise InvalidParameter(
                f"The length of a field is said once: by {one}, or by {min(given - {one})}.", parameter=one
            )
    if pattern is not None:
        return of_pattern(pattern)
    if length is not None:
        least = most = length
    return digits(1 if least is None else least, most)


def _misplaced(name: str, kind: Kind) -> InvalidParameter:
    takers = [taker for taker, names in PARAMETERS.items() if name in names]
    return InvalidParameter(
        f"The parameter {name} says something of a field of the kind {takers[0]}, not {kind}.", parameter=name
    )


@lru_cache(maxsize=16)
def _restricted(automaton: Automaton, kind: Kind, allowed: tuple[str, ...]) -> Automaton:
    """An automaton of the allowed strings alone; building one from a whole directory takes most of a second."""
    if len(allowed) > MOST_ALLOWED:
        raise InvalidParameter(f"More than {MOST_ALLOWED} strings are allowed.", parameter="allowed")
    restricted = automaton.restricted_to({_text(line, kind, "allowed") for line in allowed if line.strip()})
    if restricted.empty:
        raise InvalidParameter("None of the allowed strings is one that the field may hold.", parameter="allowed")
    return restricted


def _text(given: str, kind: Kind, name: str) -> str:
    """A caller's string as a text: without marks and blanks, but for an amount's point."""
    text = given.strip() if kind == "amount" else re.sub(r"[\s./,-]", "", given)
    good = AMOUNT_TEXT.fullmatch(text) if kind == "amount" else text.isascii() and text.isdigit()
    if not good or len(text) > LONGEST_ALLOWED:
        form = "an amount such as 1234.50 or 1234" if kind == "amount" else "digits"
        raise InvalidParameter(
            f"A string to be read is {form}, at most {LONGEST_ALLOWED} characters.", parameter=name, value=given[:100]
        )
    return text


@lru_cache(maxsize=1)
def anything() -> Automaton:
    """Every string of symbols: what a picture says while nothing is known of the field."""
    return compiled({r"[0-9.,\-/$]*": 0}, skip_marks=False)
