"""app.fields.automaton and app.fields.pattern: what a field may hold."""

import re
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.errors import InvalidParameter
from app.fields.automaton import NONE, Automaton, minimal
from app.fields.pattern import compiled
from app.fields.symbols import SYMBOLS

unhurried = settings(deadline=None, max_examples=200)
strings = st.text("01289.,-/$", max_size=9)
ANYTHING = compiled({r"[0-9.,\-/$]*": 0}, skip_marks=False)


MARKS = {"P": r"\.", "C": ",", "H": "-", "S": "/"}
"""A letter for each mark of a random pattern, so that a test can tell it from the signs of patterns."""


def spelled(pattern: str, form: str = "{}") -> str:
    """A random pattern with its marks for their letters, each in a form of its own."""
    return "".join(form.format(MARKS[letter]) if letter in MARKS else letter for letter in pattern)


def patterns() -> st.SearchStrategy[str]:
    """Random patterns that Python's `re` understands as well; each has at most a few dozen states."""
    atom = st.sampled_from(["0", "1", "2", r"\d", "[0-2]", "[189]", "[02-8]", *MARKS])
    count = st.sampled_from(["", "", "", "?", "*", "+", "{2}", "{0,2}", "{1,}"])
    simple = st.tuples(atom, count).map("".join)
    return st.recursive(
        simple,
        lambda inner: st.one_of(
            st.lists(inner, min_size=1, max_size=3).map("".join),
            st.tuples(st.lists(inner, min_size=1, max_size=3).map("|".join), count).map(lambda p: f"(?:{p[0]}){p[1]}"),
        ),
        max_leaves=5,
    )


@unhurried
@given(patterns(), st.data())
def test_patterns_mean_what_regular_expressions_mean(pattern: str, data: st.DataObject) -> None:
    """A pattern accepts exactly the strings that Python's own regular expressions match from end to end."""
    pattern = spelled(pattern)
    automaton = compiled({pattern: 0}, skip_marks=False)
    for string in data.draw(st.lists(st.one_of(strings, st.from_regex(pattern, fullmatch=True)), max_size=8)):
        if set(string) <= set(SYMBOLS):  # `\d` of `re` has all the world's digits
            matched = re.fullmatch(pattern, string)
            expected = "".join(filter(str.isdigit, string)) if matched else None
            assert automaton.text_of(string) == expected


@unhurried
@given(patterns(), st.booleans())
def test_symbols_that_are_alike_may_stand_for_each_other(pattern: str, skip_marks: bool) -> None:
    """Two symbols are alike where both are digits, or both marks, and lead to the same state from every state."""
    automaton = compiled({spelled(pattern): 0}, skip_marks=skip_marks)
    for (a, one), (b, other) in product(enumerate(SYMBOLS), repeat=2):
        same = one.isdigit() == other.isdigit() and np.array_equal(automaton.next[:, a], automaton.next[:, b])
        assert (automaton.alike[a] == automaton.alike[b]) == same


@unhurried
@given(patterns(), st.lists(strings, max_size=8))
def test_skipped_marks_count_for_nothing(pattern: str, examples: list[str]) -> None:
    """Where marks are skipped a pattern takes a string exactly when, both without their marks, it matches."""
    automaton = compiled({spelled(pattern): 0}, skip_marks=True)
    for string in examples:
        digits = "".join(filter(str.isdigit, string))
        matched = re.fullmatch(spelled(pattern, "(?:)"), digits)
        assert automaton.text_of(string) == (digits if matched else None)


@unhurried
@given(patterns())
def test_no_automaton_is_smaller(pattern: str) -> None:
    """Each state can be reached, can come to an end, and differs from every other by a string it accepts."""
    automaton = compiled({spelled(pattern): 0}, skip_marks=False)
    states = range(automaton.states)
    reached, waiting = {0}, [0]
    while waiting:
        new = {int(s) for s in automaton.next[waiting.pop()] if s != NONE} - reached
        reached |= new
        waiting += new
    assert reached == set(states)
    apart = {(a, b): automaton.decimals[a] != automaton.decimals[b] for a, b in product(states, states)}
    alive = {s: automaton.decimals[s] != NONE for s in states}
    for _ in states:  # what follows each state, one symbol longer in each round
        alive = {s: alive[s] or any(alive[int(t)] for t in automaton.next[s] if t != NONE) for s in states}
        apart = {
            (a, b): apart[a, b]
            or any(
                (s == NONE) != (t == NONE) or (s != NONE and apart[int(s), int(t)])
                for s, t in zip(automaton.next[a], automaton.next[b], strict=True)
            )
            for a, b in apart
        }
    assert all(alive.values()) or automaton.states == 1
    assert all(differ for (a, b), differ in apart.items() if a != b)


@unhurried
@given(st.lists(st.text("012", max_size=4), max_size=12), st.lists(strings, max_size=8))
def test_allowed_texts_and_no_others(texts: list[str], examples: list[str]) -> None:
    """A restricted automaton accepts a string exactly when the whole one gives it one of the texts."""
    restricted = ANYTHING.restricted_to(texts)
    for string in [*examples, *texts]:
        text = ANYTHING.text_of(string)
        assert restricted.text_of(string) == (text if text in texts else None)


def test_a_text_with_a_point_is_another_than_its_digits() -> None:
    """Restricted to 12.34, an automaton takes the string with the point and not the one without."""
    amounts = compiled({r"\d+": 0, r"\d+[.,]\d\d": 2, r"\d+\d\d/~1~0~0": 2}, skip_marks=False)
    one = amounts.restricted_to(["12.34"])
    assert [one.text_of(string) for string in ("12.34", "12,34", "1234/100", "1234", "12.35")] == [
        "12.34",
        "12.34",
        "12.34",
        None,
        None,
    ]
    both = amounts.restricted_to(["12.34", "1234"])
    assert [both.text_of(string) for string in ("12.34", "1234")] == ["12.34", "1234"]


def test_a_directory_shares_the_ends_of_its_texts() -> None:
    """A directory of all five-digit codes that begin with 1 or 2 is an automaton of six states."""
    codes = [f"{code:05d}" for code in range(10_000, 30_000)]
    assert compiled({r"\d{5}": 0}, skip_marks=False).restricted_to(codes).states == 6


def test_muted_digits_are_no_part_of_a_text() -> None:
    """The 100 of a fraction of hundredths is read and is not said."""
    automaton = compiled({r"\d+/~1~0~0": 0}, skip_marks=False)
    assert automaton.text_of("50/100") == "50"
    assert automaton.text_of("50/10") is None


def test_states_that_differ_by_what_they_say_are_kept_apart() -> None:
    """Two states with the same ways on are not one when only one of them says its digits."""
    after = np.full((3, len(SYMBOLS)), NONE)
    after[0, 1], after[1, 1], after[2, 1] = 1, 2, 2
    loop = minimal(after, [NONE, 0, 0], [False, False, True])
    assert (loop.states, loop.text_of("1111")) == (3, "11")


@pytest.mark.parametrize(
    "pattern",
    ["(", ")", "(1", "1)", "[", "[]", "[1", "[5-2]", "[1--]", "{2}{", "1{", "1{a}", "1{3,1}", "1{,2}", "a", "\\", "*",
     "?", "1**", "(?=1)", "1" * 400, "(" * 30 + "1" + ")" * 30, "((1{99}){99}){99}", "((){99}){99}", "(1*){600}", "٣"],
)  # fmt: skip
def test_broken_and_endless_patterns_are_refused(pattern: str) -> None:
    """A pattern that is broken, or would need too many states, is an invalid parameter."""
    with pytest.raises(InvalidParameter):
        compiled({pattern: 0}, skip_marks=True)


@unhurried
@given(st.text("0129#[]{}()|?*+.,-/\\d:$~ ", max_size=30))
def test_any_pattern_is_compiled_or_refused(pattern: str) -> None:
    """Whatever a caller sends is an automaton or an invalid parameter."""
    try:
        automaton: Automaton | None = compiled({pattern.replace("~", ""): 0}, skip_marks=True)
    except InvalidParameter:
        automaton = None
    assert automaton is None or automaton.states >= 1
