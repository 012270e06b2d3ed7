"""app.fields.lattice against the enumeration of all paths of small lattices."""

import numpy as np
import pytest
from hypothesis import given
from small_lattices import ANYTHING, automata, lattices, made, masses, total, unhurried, walks

from app.fields.automaton import Automaton
from app.fields.lattice import Lattice, constrained, viterbi
from app.fields.texts import Chain, n_best


@unhurried
@given(lattices(), automata)
def test_the_forward_score_sums_over_all_paths(lattice: Lattice, automaton: Automaton) -> None:
    """The forward score is the log of the summed weight of every path that the format allows, -inf without one."""
    expected = total([walk.score for walk, _ in walks(lattice, automaton)])
    assert constrained(lattice, automaton).forward == pytest.approx(expected, abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_viterbi_finds_the_largest_path(lattice: Lattice, automaton: Automaton) -> None:
    """The Viterbi path is a path of the lattice that the format allows, and none has a larger weight."""
    found = {walk.arcs: (walk, text) for walk, text in walks(lattice, automaton)}
    best = viterbi(constrained(lattice, automaton))
    assert (best is None) == (not found)
    if best is not None:
        walk, text = found[best.arcs]
        assert (best.symbols, best.text) == (walk.symbols, text)
        assert best.score == pytest.approx(walk.score, abs=1e-9)
        assert best.score == pytest.approx(max(other.score for other, _ in found.values()), abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_texts_and_what_the_format_forbids_are_all_there_is(lattice: Lattice, automaton: Automaton) -> None:
    """The posteriors of all allowed texts, and the mass of all paths that the format forbids, sum to one."""
    everything = constrained(lattice, ANYTHING).forward
    allowed = masses(walks(lattice, automaton))
    forbidden = [walk.score for walk, _ in walks(lattice, ANYTHING) if automaton.text_of(walk.symbols) is None]
    if everything > -np.inf:
        each = [constrained(lattice, automaton.restricted_to([text])).forward for text in allowed]
        assert sum(np.exp(mass - everything) for mass in [*each, *forbidden]) == pytest.approx(1, abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_a_format_of_one_text_has_that_texts_mass(lattice: Lattice, automaton: Automaton) -> None:
    """The forward score under the format restricted to one text is the mass of that text, -inf where it has none."""
    expected = masses(walks(lattice, automaton))
    for text in {*expected, "10", "1.10"}:
        one = constrained(lattice, automaton.restricted_to([text]))
        assert one.forward == pytest.approx(expected.get(text, -np.inf), abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_what_leaves_a_node_sums_to_one(lattice: Lattice, automaton: Automaton) -> None:
    """Pushed weights are a Markov chain, and the arcs on the path from any node have the path's probability."""
    product = constrained(lattice, automaton)
    if len(product.decimals):
        sums = np.bincount(product.leaves, product.probability, len(product.decimals))
        assert sums[: product.layers[-2]] == pytest.approx(1, abs=1e-9)
        share = {walk.arcs: np.exp(walk.score - product.forward) for walk, _ in walks(lattice, automaton)}
        for arc, occupancy in zip(product.arc.tolist(), product.occupancy.tolist(), strict=True):
            through = sum(p for arcs, p in share.items() if arc in arcs)
            assert occupancy == pytest.approx(through, abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_nothing_is_ever_nan(lattice: Lattice, automaton: Automaton) -> None:
    """No score, and no probability, is NaN or above one."""
    product = constrained(lattice, automaton)
    assert not np.isnan(product.forward)
    for probabilities in (product.probability, product.taken, product.occupancy):
        assert np.all((probabilities >= 0) & (probabilities <= 1 + 1e-9))


@pytest.mark.parametrize(
    ("lattice", "texts"),
    [
        (made(1, []), [("", 0.0)]),
        (made(2, []), []),
        (made(3, [((0, 1), "1", 0.0)]), []),
        (made(3, [((1, 2), "1", 0.0)]), []),
        (made(2, [((0, 1), "1", -np.inf)]), []),
        (made(2, [((0, 1), "1", -np.inf), ((0, 1), "2", -5.0)]), [("2", -5.0)]),
        (made(2, [((0, 1), "$", -1.0)]), [("", -1.0)]),
    ],
)
def test_lattices_with_little_in_them(lattice: Lattice, texts: list[tuple[str, float]]) -> None:
    """An empty lattice has the empty text; one that does not hang together, or only by -inf, has none."""
    product = constrained(lattice, ANYTHING)
    assert [(text.text, pytest.approx(text.mass)) for text in n_best(Chain.of(product), 5)] == texts
    assert (viterbi(product) is None) == (not texts)
    assert product.forward == (pytest.approx(texts[0][1]) if texts else -np.inf)


@pytest.mark.parametrize(
    "change",
    [{"nodes": 0}, {"nodes": 2}, {"stop": 0}, {"start": -1}, {"symbol": 15}, {"score": np.nan}, {"score": np.inf}],
)
def test_what_is_no_lattice_is_refused(change: dict[str, float]) -> None:
    """Arcs that lead backwards or out of the lattice, or have no symbol or no log weight, raise ValueError."""
    values = {"nodes": 3, "start": 0, "stop": 2, "symbol": 1, "score": 0.0} | change
    with pytest.raises(ValueError, match=r"an arc|a score"):
        Lattice(
            int(values["nodes"]),
            *(np.array([int(values[name])]) for name in ("start", "stop", "symbol")),
            np.array([values["score"]]),
            np.zeros(1, np.int64),
        )
