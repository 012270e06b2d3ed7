"""Small lattices and automata, with the enumeration of all their paths."""

from collections import defaultdict
from dataclasses import dataclass

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st

from app.fields.automaton import Automaton
from app.fields.lattice import Lattice
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
