r"""The amount of money in the courtesy field of a cheque.

    $ **1,234.50 **     fillers, thousands marks, decimal mark and cents      1234.50
    1.234,50  1234,50   point and comma are one mark: which is which, the groups of digits tell
    1,23,456            groups of two, as in India                            123456
    1234 50/100         cents as hundredths                                   1234.50
    1234.-  1234,--     a mark and dashes: no cents                           1234
    1234/-  1234---     a closing stroke                                      1234

Three digits behind a mark are thousands, two behind the last mark are cents. One dash before the digits is a minus
sign, which is no amount; two or more are a filler. What is neither a digit nor a mark is skipped wherever it stands.
"""

from functools import lru_cache
from typing import Final

from app.fields.automaton import Automaton
from app.fields.pattern import compiled

LEAD: Final = r"(?:$\.?|-{2,})*"  # a currency in letters may end in a point
WHOLE: Final = r"(?:\d+|\d{1,3}(?:[.,]\d{3})+|\d{1,2}(?:[.,]\d{2})+[.,]\d{3})"
NO_CENTS: Final = r"(?:[.,]?-*|/-+)"
CENTS: Final = r"[.,]\d{2}"
HUNDREDTHS: Final = r"[.,\-]?\d{2}/~1~0~0"


@lru_cache(maxsize=1)
def amount() -> Automaton:
    """Amounts, whole ones and ones with cents; the texts are in plain decimal form."""
    patterns = {
        f"{LEAD}{WHOLE}{NO_CENTS}": 0,
        f"{LEAD}{WHOLE}{CENTS}-*": 2,
        f"{LEAD}{WHOLE}{HUNDREDTHS}-*": 2,
    }
    return compiled(patterns, skip_marks=False).skipping("$")
