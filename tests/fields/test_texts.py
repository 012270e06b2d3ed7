"""app.fields.texts against the enumeration of all paths of small lattices."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lattices import ANYTHING, automata, lattices, made, masses, unhurried, walks

from app.fields import texts as texts_module
from app.fields.automaton import Automaton
from app.fields.lattice import Lattice, constrained
from app.fields.texts import Chain, characters, n_best


@unhurried
@given(lattices(), automata, st.integers(1, 6))
def test_the_n_best_are_distinct_texts_by_their_mass(lattice: Lattice, automaton: Automaton, n: int) -> None:
    """The n best are the n texts of the largest summed weight, each once, the largest first, with that weight."""
    product = constrained(lattice, automaton)
    expected = masses(walks(lattice, automaton))
    found = n_best(Chain.of(product), n)
    assert len({text.text for text in found}) == len(found) <= n
    assert all(text.mass == pytest.approx(expected[text.text], abs=1e-6) for text in found)
    assert [text.mass for text in found] == sorted((text.mass for text in found), reverse=True)
    by_mass = sorted(expected.values(), reverse=True)[:n]
    probable = [mass for mass in by_mass if mass > product.forward - 23]  # e^-23 is some hundred times NEGLIGIBLE
    assert [text.mass for text in found[: len(probable)]] == pytest.approx(probable, abs=1e-6)


@unhurried
@given(lattices(), automata, st.integers(0, 4))
def test_characters_are_marginals_of_the_texts(lattice: Lattice, automaton: Automaton, length: int) -> None:
    """The probability of a digit at a place is that of all texts of this length that have it there."""
    product = constrained(lattice, automaton)
    expected = np.zeros((length, 10))
    for text, mass in masses(walks(lattice, automaton)).items():
        digits = text.replace(".", "")
        if len(digits) == length:
            expected[range(length), [int(digit) for digit in digits]] += np.exp(mass - product.forward)
    assert characters(Chain.of(product), length) == pytest.approx(expected, abs=1e-9)


def flat(nodes: int) -> Lattice:
    """Every digit in every place, all alike: nothing stands out."""
    return made(nodes, [((node, node + 1), digit, 0.0) for node in range(nodes - 1) for digit in "0123456789"])


def test_a_search_in_which_nothing_stands_out_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among 10^30 equal texts the search gives up in time, and what it returns has its exact mass."""
    monkeypatch.setattr(texts_module, "EXPANSIONS", 40)
    found = n_best(Chain.of(constrained(flat(31), ANYTHING)), 5)
    assert found
    assert all(len(text.text) == 30 and text.mass == pytest.approx(0, abs=1e-6) for text in found)


def test_the_best_path_is_looked_at_where_a_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is cut short at once still finds the text of the best path, with its mass."""
    monkeypatch.setattr(texts_module, "EXPANSIONS", 0)
    better = made(4, [((node, node + 1), digit, float(digit == "7")) for node in range(3) for digit in "0123456789"])
    assert [(text.text, text.mass) for text in n_best(Chain.of(constrained(better, ANYTHING)), 5)] == [
        ("777", pytest.approx(3))
    ]


def test_a_digit_behind_many_marks_has_its_mass() -> None:
    """Marks are summed out however many stand in a row, before a digit and behind it."""
    arcs = [((node, node + 1), "$", -1.0) for node in range(40) if node != 20]
    chain = Chain.of(constrained(made(41, [*arcs, ((20, 21), "7", 0.0), ((20, 21), "2", -1.0)]), ANYTHING))
    assert [(one.text, one.mass) for one in n_best(chain, 5)] == [("7", pytest.approx(-39)), ("2", pytest.approx(-40))]
    assert characters(chain, 1)[0, [7, 2]] == pytest.approx([1 / (1 + np.exp(-1)), 1 / (1 + np.exp(1))])
