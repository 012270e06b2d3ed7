"""Check digits, as acceptors of numbers: what has been read is a state, and each digit leads to the next.

    aba        nine digits, weighted 3 7 1: the routing number of a US cheque
    luhn       every second digit from the right doubled, its digits added up: cards (ISO/IEC 7812)
    ean        every second digit from the right times three, 8, 12, 13 or 14 digits: goods (GS1)
    mod_11_10  the hybrid system of ISO/IEC 7064: a German tax number

Weights that are counted from the right are not known before the number ends: a state has the sum for either case.
"""

from collections.abc import Callable
from functools import lru_cache
from typing import Final, Literal, NamedTuple

from app.errors import InvalidParameter
from app.fields.automaton import Automaton

Check = Literal["aba", "luhn", "ean", "mod_11_10"]

MOST_DIGITS: Final = 32
"""Of a format that is given a check digit: what it takes to build one grows with the square."""
MOST_STATES: Final = 640
"""Of a format with its check digit: decoding takes as much longer as there are more."""

State = tuple[int, ...]


class _Rule(NamedTuple):
    """An acceptor of numbers whose check digit is right."""

    start: State
    step: Callable[[State, int], State | None]  # the state after a digit; None: no number goes on so
    ends: Callable[[State], bool]


def _aba(state: State, digit: int) -> State | None:
    read, total = state
    return (read + 1, (total + (3, 7, 1)[read % 3] * digit) % 10) if read < 9 else None


def _luhn(state: State, digit: int) -> State:
    if_last, if_not = state  # the sum if the digit read last is the number's last, and if one follows
    return (if_not + digit) % 10, (if_last + sum(divmod(2 * digit, 10))) % 10


def _ean(state: State, digit: int) -> State | None:
    read, if_last, if_not = state
    return (read + 1, (if_not + digit) % 10, (if_last + 3 * digit) % 10) if read < 14 else None


def _mod_11_10(state: State, digit: int) -> State:
    return (((state[0] or 10) * 2 % 11 + digit) % 10,)


RULES: Final[dict[Check, _Rule]] = {
    "aba": _Rule((0, 0), _aba, lambda state: state == (9, 0)),
    "luhn": _Rule((0, 0), _luhn, lambda state: state[0] == 0),
    "ean": _Rule((0, 0, 0), _ean, lambda state: state[0] in (8, 12, 13, 14) and state[1] == 0),
    "mod_11_10": _Rule((5,), _mod_11_10, lambda state: state == (1,)),
}


@lru_cache(maxsize=64)
def checked(automaton: Automaton, check: Check) -> Automaton:
    """The strings of an automaton of digits whose text has a check digit that is right.

    Raises InvalidParameter where there is none, and where so many states are needed that decoding would be slow.
    """
    rule = RULES[check]
    if automaton.states > MOST_DIGITS + 1:
        raise _too_large(check)
    found = automaton.product(rule.start, rule.step, lambda state, _: rule.ends(state))
    if found.states > MOST_STATES:
        raise _too_large(check)
    if found.empty:
        raise InvalidParameter(
            f"No number that the field may hold has a check digit that is right by {check}.",
            parameter="check",
            value=check,
        )
    return found


def _too_large(check: Check) -> InvalidParameter:
    return InvalidParameter(
        f"A check digit goes with any length, or with one of at most {MOST_DIGITS}: this format is too large for it.",
        parameter="check",
        value=check,
    )
