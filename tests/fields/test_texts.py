"""app.fields.texts against the enumeration of all paths of small lattices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from small_lattices import ANYTHING, automata, lattices, made, masses, unhurried, walks

from app.fields import texts as texts_module
from app.fields.automaton import Automaton
from app.fields.lattice import Lattice, constrained
from app.fields.texts import Chain, n_best


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


def flat(nodes: int) -> Lattice:
    """Every digit in every place, all alike: nothing stands out."""
    return made(nodes, [((node, node + 1), digit, 0.0) for node in range(nodes - 1) for digit in "0123456789"])


def test_a_search_in_which_nothing_stands_out_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among 10^30 equal texts the search gives up in time, and what it returns has its exact mass."""
    monkeypatch.setattr(texts_module, "WORK", 1000)
    found = n_best(Chain.of(constrained(flat(31), ANYTHING)), 5)
    assert found
    assert all(len(text.text) == 30 and text.mass == pytest.approx(0, abs=1e-6) for text in found)


def test_the_best_path_is_looked_at_where_a_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A narrow search that has given up the beginning of the best path's text still finds it, with its mass."""
    monkeypatch.setattr(texts_module, "LEAST_WIDTH", 1)
    monkeypatch.setattr(texts_module, "WORK", 0)
    ones = [((0, 1), "1", 0.0), *(((1, 3), digit, 0.0) for digit in "0123456789")]  # ten texts, together likelier
    lattice = made(4, [*ones, ((0, 2), "7", 1.5), ((2, 3), "7", 0.0)])
    found = n_best(Chain.of(constrained(lattice, ANYTHING)), 5)
    assert ("77", pytest.approx(1.5)) in [(text.text, text.mass) for text in found]


def test_a_digit_behind_many_marks_has_its_mass() -> None:
    """Marks are summed out however many stand in a row, before a digit and behind it."""
    arcs = [((node, node + 1), "$", -1.0) for node in range(40) if node != 20]
    chain = Chain.of(constrained(made(41, [*arcs, ((20, 21), "7", 0.0), ((20, 21), "2", -1.0)]), ANYTHING))
    assert [(one.text, one.mass) for one in n_best(chain, 5)] == [("7", pytest.approx(-39)), ("2", pytest.approx(-40))]
