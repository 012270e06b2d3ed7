"""app.fields.lattice against the enumeration of all paths of small lattices."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.fields import lattice as lattice_module
from app.fields.automaton import Automaton
from app.fields.lattice import Lattice, characters, constrained, n_best, viterbi
from app.fields.pattern import compiled
from app.fields.symbols import SYMBOLS

unhurried = settings(deadline=None, max_examples=200)

ANYTHING = compiled({r"[0-9.,\-/$]*": 0}, skip_marks=False)
AMOUNT_LIKE = compiled({r"[$]*\d+(,\d{3})*": 0, r"[$]*\d+(\.|,)\d\d": 2, r"\d+\d\d/~1~0~0": 2}, skip_marks=False)
AUTOMATA = {
    "anything": ANYTHING,
    "two or three digits": compiled({r"\d{2,3}": 0}, skip_marks=True),
    "amount": AMOUNT_LIKE,
    "nothing": compiled({r"77777777": 0}, skip_marks=False),
    "few texts": ANYTHING.restricted_to(["1", "10", "110", "", "2"]),
}
automata = st.sampled_from(sorted(AUTOMATA)).map(AUTOMATA.__getitem__)


@st.composite
def lattices(draw: st.DrawFn) -> Lattice:
    """Small lattices with few symbols, so that many paths share a text; some are empty or lead nowhere."""
    nodes = draw(st.integers(1, 6))
    pairs = [(start, stop) for start in range(nodes) for stop in range(start + 1, nodes)]
    arc = st.tuples(
        st.sampled_from(pairs or [(0, 0)]),
        st.sampled_from("01200.,-/$"),
        st.one_of(st.floats(-8, 3), st.floats(-80, 40), st.just(-np.inf)),
    )
    return made(nodes, draw(st.lists(arc, max_size=9 if pairs else 0)))


def made(nodes: int, arcs: list[tuple[tuple[int, int], str, float]]) -> Lattice:
    return Lattice(
        nodes,
        np.array([ends[0] for ends, _, _ in arcs], np.int64),
        np.array([ends[1] for ends, _, _ in arcs], np.int64),
        np.array([SYMBOLS.index(symbol) for _, symbol, _ in arcs], np.int64),
        np.array([score for _, _, score in arcs], np.float64),
        np.arange(len(arcs)),
    )


@dataclass(frozen=True)
class Walk:
    arcs: tuple[int, ...]
    symbols: str
    score: float


def walks(lattice: Lattice, automaton: Automaton) -> list[tuple[Walk, str]]:
    """Every path that the automaton accepts, with its text."""
    done: list[Walk] = []
    open_ = [(0, Walk((), "", 0.0))]
    while open_:
        node, walk = open_.pop()
        if node == lattice.nodes - 1:
            done.append(walk)
        for arc in np.flatnonzero(lattice.start == node).tolist():
            if lattice.score[arc] > -np.inf:
                symbols = walk.symbols + SYMBOLS[lattice.symbol[arc]]
                grown = Walk((*walk.arcs, arc), symbols, walk.score + float(lattice.score[arc]))
                open_.append((int(lattice.stop[arc]), grown))
    return [(walk, text) for walk in done if (text := automaton.text_of(walk.symbols)) is not None]


def total(scores: list[float]) -> float:
    return float(np.logaddexp.reduce(np.array(scores))) if scores else -np.inf


def masses(found: list[tuple[Walk, str]]) -> dict[str, float]:
    by_text: dict[str, list[float]] = defaultdict(list)
    for walk, text in found:
        by_text[text].append(walk.score)
    return {text: total(scores) for text, scores in by_text.items()}


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
@given(lattices(), automata, st.integers(1, 6))
def test_the_n_best_are_distinct_texts_by_their_mass(lattice: Lattice, automaton: Automaton, n: int) -> None:
    """The n best are the n texts of the largest summed weight, each once, the largest first, with that weight."""
    product = constrained(lattice, automaton)
    expected = masses(walks(lattice, automaton))
    found = n_best(product, n)
    assert len({text.text for text in found}) == len(found) <= n
    assert all(text.mass == pytest.approx(expected[text.text], abs=1e-6) for text in found)
    assert [text.mass for text in found] == sorted((text.mass for text in found), reverse=True)
    by_mass = sorted(expected.values(), reverse=True)[:n]
    probable = [mass for mass in by_mass if mass > product.forward - 23]  # e^-23 is some hundred times NEGLIGIBLE
    assert [text.mass for text in found[: len(probable)]] == pytest.approx(probable, abs=1e-6)


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
        for arc in set(product.arc.tolist()):
            through = sum(p for arcs, p in share.items() if arc in arcs)
            assert product.occupancy[product.arc == arc].sum() == pytest.approx(through, abs=1e-9)


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
    assert characters(product, length) == pytest.approx(expected, abs=1e-9)


@unhurried
@given(lattices(), automata)
def test_nothing_is_ever_nan(lattice: Lattice, automaton: Automaton) -> None:
    """No score, and no probability, is NaN or above one."""
    product = constrained(lattice, automaton)
    assert not np.isnan(product.forward)
    for probabilities in (product.probability, product.occupancy, characters(product, 3)):
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
    assert [(text.text, pytest.approx(text.mass)) for text in n_best(product, 5)] == texts
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


def flat(nodes: int) -> Lattice:
    """Every digit in every place, all alike: nothing stands out."""
    return made(nodes, [((node, node + 1), digit, 0.0) for node in range(nodes - 1) for digit in "0123456789"])


def test_a_search_in_which_nothing_stands_out_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    """Among 10^30 equal texts the search gives up in time, and what it returns has its exact mass."""
    monkeypatch.setattr(lattice_module, "SEARCHED_ARCS", 2_000)
    found = n_best(constrained(flat(31), ANYTHING), 5)
    assert found
    assert all(len(text.text) == 30 and text.mass == pytest.approx(0, abs=1e-6) for text in found)


def test_the_best_path_is_looked_at_where_a_search_gives_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """A search that is cut short at once still finds the text of the best path, with its mass."""
    monkeypatch.setattr(lattice_module, "SEARCHED_ARCS", 0)
    better = made(4, [((node, node + 1), digit, float(digit == "7")) for node in range(3) for digit in "0123456789"])
    assert [(text.text, text.mass) for text in n_best(constrained(better, ANYTHING), 5)] == [("777", pytest.approx(3))]
