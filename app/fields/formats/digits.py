"""A string of digits: of any length, of a length in a range, or of a pattern."""

import re
from functools import lru_cache
from typing import Final

from app.errors import InvalidParameter
from app.fields.automaton import Automaton
from app.fields.pattern import compiled

MOST_DIGITS: Final = 64
"""Of a length that a caller may ask for; without one a string is as long as its picture."""
SIGNS: Final = re.compile(r"[0-9#\\d\[\](){}|?*+,.:/ -]*")
"""What a caller's pattern may be made of."""


@lru_cache(maxsize=256)
def digits(least: int, most: int | None) -> Automaton:
    """`least` to `most` digits, None for any number; marks are skipped wherever they stand.

    Raises InvalidParameter for a range that is none.
    """
    if not 1 <= least <= (least if most is None else most) <= MOST_DIGITS:
        raise InvalidParameter(
            f"The length of a field is a number or a range from 1 to {MOST_DIGITS}, the smaller number first.",
            parameter="min_length" if most is None or least != most else "length",
            min_length=least,
            max_length=most,
        )
    return compiled({f"#{{{least},{'' if most is None else most}}}": 0}, skip_marks=True)


@lru_cache(maxsize=256)
def of_pattern(pattern: str) -> Automaton:
    """Digits of a pattern (`app.fields.pattern`); marks are skipped wherever they stand, its own as well.

    Raises InvalidParameter for a pattern that is broken, too large, or has no string with a digit.
    """
    if not SIGNS.fullmatch(pattern):
        sign = SIGNS.sub("", pattern)[:1]
        raise InvalidParameter(
            f"The pattern cannot be used: {sign!r} is none of its signs.", parameter="pattern", value=pattern[:300]
        )
    automaton = compiled({pattern: 0}, skip_marks=True)
    if automaton.empty or automaton.decimals[0] == 0:
        raise InvalidParameter(
            "The pattern allows a field without any digit.", parameter="pattern", value=pattern[:300]
        )
    return automaton
