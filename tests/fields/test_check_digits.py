"""app.fields.formats.check: numbers whose check digit is right, held against python-stdnum."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import stdnum.ean
import stdnum.iso7064.mod_11_10
import stdnum.luhn
import stdnum.us.rtn
from field_pictures import amount, boxes_of
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidParameter
from app.fields.calibration import FieldCalibration
from app.fields.formats import Check, field_format
from app.fields.reader import Proposal, Reading, decode, propose
from app.fields.scores import log_probabilities

unhurried = settings(deadline=None, max_examples=150)

LIBRARY: dict[Check, Callable[[str], bool]] = {
    "aba": stdnum.us.rtn.is_valid,
    "luhn": stdnum.luhn.is_valid,
    "ean": stdnum.ean.is_valid,
    "mod_11_10": stdnum.iso7064.mod_11_10.is_valid,
}
WEIGHTS = FieldCalibration()


@pytest.mark.parametrize("check", LIBRARY)
@unhurried
@given(beginning=st.text("0123456789", max_size=18))
def test_numbers_are_right_as_the_library_has_it(check: Check, beginning: str) -> None:
    """Of a number with each of the ten last digits exactly those are read that python-stdnum calls valid."""
    automaton = field_format(check=check).automaton
    numbers = [beginning + last for last in "0123456789"]
    assert [number for number in numbers if automaton.text_of(number)] == list(filter(LIBRARY[check], numbers))


@pytest.mark.parametrize(
    ("check", "number"),
    [
        ("aba", "111000025"),
        ("luhn", "4111111111111111"),
        ("luhn", "79927398713"),
        ("ean", "73513537"),
        ("ean", "4006381333931"),
        ("ean", "98412345678908"),
        ("mod_11_10", "002006673085"),
    ],
)
def test_every_wrong_digit_is_noticed(check: Check, number: str) -> None:
    """A number that is right is read; with any one digit changed it never is."""
    automaton = field_format(check=check).automaton
    assert automaton.text_of("-".join(number)) == number
    for place, char in enumerate(number):
        for other in set("0123456789") - {char}:
            assert automaton.text_of(number[:place] + other + number[place + 1 :]) is None


@pytest.mark.parametrize("check", LIBRARY)
@unhurried
@given(number=st.text("0123456789", min_size=13, max_size=13))
def test_a_check_digit_adds_to_a_length_and_to_a_pattern(check: Check, number: str) -> None:
    """With a length, a pattern or a list besides, what is read is right by both."""
    lead = "[0-6]" + "#" * (8 if check == "aba" else 12)
    number = number[: len(lead) - 4]
    expected = LIBRARY[check](number)
    assert field_format(length=len(number), check=check).automaton.says(number) == expected
    assert field_format(pattern=lead, check=check).automaton.says(number) == (expected and number[0] in "0123456")
    other = "4006381333931"
    assert not field_format(length=len(number) + 4, check="luhn").automaton.says(number)
    assert field_format(check="ean", allowed=[number, other]).automaton.says(number) == stdnum.ean.is_valid(number)


@pytest.mark.parametrize(
    "wrong",
    [
        {"check": "aba", "length": 8},
        {"check": "ean", "max_length": 7},
        {"check": "luhn", "pattern": "79927398714"},
        {"check": "luhn", "min_length": 13, "max_length": 19},
        {"check": "luhn", "length": 33},
        {"check": "luhn", "kind": "amount"},
        {"check": "luhn", "kind": "postal_code", "country": "US"},
    ],
)
def test_a_check_digit_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    """Where no number is right, too much would have to be remembered, or the kind has none, `check` is named."""
    with pytest.raises(InvalidParameter) as caught:
        field_format(**wrong)
    assert caught.value.details["parameter"] == "check"


def test_a_number_with_a_wrong_check_digit_is_not_expected() -> None:
    """An expected string is held against its check digit too."""
    assert field_format(check="aba", expected="1110-0002-5").expected == "111000025"
    with pytest.raises(InvalidParameter) as caught:
        field_format(check="aba", expected="111000026")
    assert caught.value.details["parameter"] == "expected"


@pytest.mark.parametrize(("length", "states"), [(None, 101), (16, 152), (32, 312)])
def test_formats_with_a_check_digit_are_small(length: int | None, states: int) -> None:
    """Where the length is known one sum of two is kept: ten states a place, and those in which no sum is known yet."""
    assert field_format(length=length, check="luhn").automaton.states == states


@pytest.fixture(scope="module")
def nine() -> tuple[Proposal, np.ndarray]:
    """A picture of nine digits, and which of its candidates are just one of them, (n,)."""
    proposal = propose(amount("111000025"))
    nothing = np.zeros((len(proposal.inputs), 11))
    graph = decode(proposal, nothing, None, field_format(), n_best=1, weights=WEIGHTS, debug=True).graph
    assert graph is not None
    boxes = np.array([one["box"] for one in graph["candidates"]])  # (n, 4): x, y, width, height
    ends = boxes[:, :2] + boxes[:, 2:]
    whole = np.zeros(len(boxes), np.bool_)
    for left, top, right, bottom in boxes_of("111000025"):
        distance = np.abs(boxes[:, :2] - (left, top)) + np.abs(ends - (right, bottom))
        whole[distance.sum(axis=1).argmin()] = True
    assert whole.sum() == 9
    return proposal, whole


@pytest.mark.parametrize("seed", range(12))
def test_a_check_digit_chooses_and_makes_nothing_surer(nine: tuple[Proposal, np.ndarray], seed: int) -> None:
    """Whatever the network says, each text read under a check digit is right and as likely as it is without.

    So it is never surer than what is read without; where that is right already it stays.
    """
    proposal, whole = nine
    logits = np.random.default_rng(seed).normal(0, 2, (len(whole), 11))
    logits[:, 10] = np.where(whole, -9, 9)
    log_probs = log_probabilities(logits)

    def read(check: Check | None = None, **options: Any) -> Reading:
        return decode(proposal, log_probs, None, field_format(check=check, **options), n_best=5, weights=WEIGHTS)

    free, checked = read(), read("aba")
    assert len(free.text) == len(checked.text) == 9
    assert all(stdnum.us.rtn.is_valid(one.text) for one in checked.alternatives)
    assert checked.confidence == pytest.approx(read(expected=checked.text).expected, rel=1e-9)
    if stdnum.us.rtn.is_valid(free.text):
        assert (checked.text, checked.confidence) == (free.text, pytest.approx(free.confidence))
    else:
        assert checked.confidence < free.confidence
