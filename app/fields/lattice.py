"""Readings of a segmentation graph and their probabilities (LeCun et al. 1998, sections V and VI).

A lattice has an arc for each candidate segment and each symbol it may be, with a log weight. A path from the first
node to the last is a segmentation with a reading; its weight is the sum of its arcs'. Several paths have one text:
other cuts, other marks. All sums here are exact and over all paths.

    forward     log of the summed weight of all paths
    viterbi     the path of the largest weight

Under a format the paths are those of the lattice's product with the format's automaton (`constrained`). As both are
read from left to right and the automaton is deterministic, each path of the lattice is in the product at most once.
Symbols that the automaton never tells apart, most often all digits and all marks, go through the product as one.
The weights are then pushed to the front (Mohri 2002): what leaves a node of the product sums to one, and the
probability of a path, given the format, is the product of its steps'. Prefixes of texts have probabilities as well
(`app.fields.texts`).
"""

from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

from app.fields.automaton import NONE, Automaton, text
from app.fields.symbols import DIGITS, SYMBOLS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Lattice:
    """A segmentation graph with its readings; arcs lead from a lower node to a higher one."""

    nodes: int  # 0 is the first, nodes - 1 the last; with one node the only path is the empty one
    start: Ints  # (arcs,)
    stop: Ints  # (arcs,)
    symbol: Ints  # (arcs,) index into SYMBOLS
    score: Floats  # (arcs,) log weight; -inf: no arc at all
    source: Ints  # (arcs,) index of the candidate

    def __post_init__(self) -> None:
        """Raises ValueError for a lattice that is none."""
        if self.nodes < 1 or not (np.all(self.start >= 0) and np.all(self.stop < self.nodes)):
            raise ValueError("an arc leaves the lattice")
        if np.any(self.start >= self.stop):
            raise ValueError("an arc leads backwards")
        if np.any((self.symbol < 0) | (self.symbol >= len(SYMBOLS))):
            raise ValueError("an arc has no symbol")
        if np.any(np.isnan(self.score) | (self.score == np.inf)):
            raise ValueError("a score is no log weight")


@dataclass(frozen=True)
class Path:
    """A segmentation with a reading."""

    arcs: tuple[int, ...]  # of the lattice
    spoken: tuple[int, ...]  # those of them that are the text's digits
    symbols: str
    text: str
    score: float  # log weight


@dataclass(frozen=True, eq=False)
class Constrained:
    """The paths of a lattice that an automaton accepts: the nodes and steps of the product that are on one.

    A step takes any one arc of a bundle: of those between two nodes of the lattice whose symbols the automaton takes
    alike. Nodes are sorted by the lattice's node, steps by the node they leave. Without a path there is neither.
    """

    lattice: Lattice
    arc: Ints  # (arcs,): the lattice's arcs, but those of no weight, bundle by bundle
    bundles: Ints  # (bundles,): where in `arc` each begins
    layers: Ints  # (lattice nodes + 1,): the product's nodes of lattice node i are layers[i] .. layers[i + 1] - 1
    decimals: Ints  # (nodes,): of the last layer, digits behind the point of a text that ends there
    first: Ints  # (nodes + 1,): the steps that leave node i are first[i] .. first[i + 1] - 1
    stop: Ints  # (steps,): the node a step leads to
    bundle: Ints  # (steps,)
    spoken: npt.NDArray[np.bool_]  # (steps,): whether its symbol is a digit of the text

    @cached_property
    def leaves(self) -> Ints:
        """(steps,): the node that a step leaves."""
        return np.repeat(np.arange(len(self.decimals)), np.diff(self.first))

    @cached_property
    def bundle_of(self) -> Ints:
        """(arcs,): the bundle that an arc is in."""
        return np.repeat(np.arange(len(self.bundles)), np.diff(self.bundles, append=len(self.arc)))

    @cached_property
    def weight(self) -> Floats:
        """(bundles,): log of the summed weight of a bundle's arcs."""
        return np.logaddexp.reduceat(self.lattice.score[self.arc], self.bundles)

    @cached_property
    def share(self) -> Floats:
        """(arcs,): the probability of an arc, given its bundle."""
        return np.exp(self.lattice.score[self.arc] - self.weight[self.bundle_of])

    @property
    def digits(self) -> Floats:
        """(bundles, 10): the probability of each digit, given the bundle; all 0 for a bundle of marks."""
        symbol = self.lattice.symbol[self.arc]
        found = added(self.share, self.bundle_of * len(SYMBOLS) + symbol, len(self.bundles) * len(SYMBOLS))
        return found.reshape(-1, len(SYMBOLS))[:, :DIGITS]

    @cached_property
    def onward(self) -> Floats:
        """(nodes,): log of the summed weight of all ways from a node to the end."""
        return self.swept(np.logaddexp, self.weight)

    @cached_property
    def forward(self) -> float:
        """Log of the summed weight of all paths; -inf without one."""
        return float(self.onward[0]) if len(self.decimals) else -np.inf

    @cached_property
    def probability(self) -> Floats:
        """(steps,): of a step, given the node it leaves; what leaves a node sums to one."""
        return np.exp(self.weight[self.bundle] + self.onward[self.stop] - self.onward[self.leaves])

    @cached_property
    def taken(self) -> Floats:
        """(steps,): the probability that a step is on the path."""
        at = np.zeros(len(self.decimals))  # that a node is
        at[:1] = 1
        out = np.empty(len(self.stop))
        for low, high in pairwise(self.layers[:-1].tolist()):
            steps = slice(self.first[low], self.first[high])
            out[steps] = at[self.leaves[steps]] * self.probability[steps]
            np.add.at(at, self.stop[steps], out[steps])
        return out

    @cached_property
    def occupancy(self) -> Floats:
        """(arcs,): the probability that an arc is on the path."""
        return added(self.taken, self.bundle, len(self.bundles))[self.bundle_of] * self.share

    def swept(self, plus: np.ufunc, weight: Floats) -> Floats:
        """(nodes,): from the end back, what all ways from a node to the end come to when ways are joined by `plus`.

        `weight` (bundles,) is a step's own.
        """
        values = np.zeros(len(self.decimals))
        score = weight[self.bundle]
        first = self.first
        for low, high in list(pairwise(self.layers.tolist()))[-2::-1]:
            if low < high:
                steps = slice(first[low], first[high])
                values[low:high] = plus.reduceat(score[steps] + values[self.stop[steps]], first[low:high] - first[low])
        return values


def added(values: Floats, index: Ints, count: int) -> Floats:
    """(count,): the sum of the values (n,) of each index (n,)."""
    sums: npt.NDArray[Any] = np.bincount(index, values, count)
    return sums


def constrained(lattice: Lattice, automaton: Automaton) -> Constrained:
    """The paths of a lattice that an automaton accepts."""
    arc, bundles, symbol = _bundled(lattice, automaton)
    start, stop = lattice.start[arc[bundles]], lattice.stop[arc[bundles]]
    bounds = np.searchsorted(start, np.arange(lattice.nodes + 1)).tolist()
    states, last = automaton.states, lattice.nodes - 1
    reached = np.zeros((lattice.nodes, states + 1), np.bool_)  # the last column is NONE's
    reached[0, 0] = True
    layers: list[tuple[Ints, npt.NDArray[np.int32]]] = []  # of each node: its states, and where its bundles lead
    for node in range(last):
        here = reached[node, :-1].nonzero()[0]
        ahead = slice(bounds[node], bounds[node + 1])
        after = automaton.next[here[:, None], symbol[ahead]]  # (states here, bundles)
        reached[stop[ahead], after] = True
        layers.append((here, after))
    useful = np.zeros_like(reached)
    useful[last, :-1] = reached[last, :-1] & (automaton.decimals != NONE)
    heads: list[Ints] = [np.zeros(0, np.int64)]  # of the steps that leave each layer: node * states + state
    tails: list[Ints] = [np.zeros(0, np.int64)]
    steps: list[Ints] = [np.zeros(0, np.int64)]  # their bundles
    for node in range(last - 1, -1, -1):
        here, after = layers[node]
        ahead = slice(bounds[node], bounds[node + 1])
        row, column = useful[stop[ahead], after].nonzero()
        useful[node, here[row]] = True
        heads.append(node * states + here[row])
        tails.append(stop[ahead][column] * states + after[row, column])
        steps.append(bounds[node] + column)
    keys = np.flatnonzero(useful[:, :-1])  # the product's nodes; from here on they are numbered without gaps
    head, tail, bundle = (np.concatenate(parts[::-1]) for parts in (heads, tails, steps))
    return Constrained(
        lattice=lattice,
        arc=arc,
        bundles=bundles,
        layers=np.searchsorted(keys, np.arange(lattice.nodes + 1) * states),
        decimals=automaton.decimals[keys % states].astype(np.int64),
        first=np.searchsorted(head, np.append(keys, np.iinfo(np.int64).max)),
        stop=np.searchsorted(keys, tail),
        bundle=bundle,
        spoken=(symbol[bundle] < DIGITS) & ~automaton.mute[head % states],
    )


def _bundled(lattice: Lattice, automaton: Automaton) -> tuple[Ints, Ints, Ints]:
    """The arcs that have a weight, bundle by bundle, where each bundle begins, and a symbol of each.

    Bundles are sorted by the node they leave.
    """
    ends = lattice.start * lattice.nodes + lattice.stop
    key = ends * len(SYMBOLS) + automaton.alike[lattice.symbol]
    arc = np.flatnonzero(lattice.score > -np.inf)
    arc = arc[np.argsort(key[arc], kind="stable")]
    bundles = np.flatnonzero(np.diff(key[arc], prepend=-1))
    return arc, bundles, lattice.symbol[arc[bundles]]


def viterbi(product: Constrained) -> Path | None:
    """The path of the largest weight (Viterbi 1967); None without one."""
    if not len(product.decimals):
        return None
    lattice, first = product.lattice, product.first
    largest = np.maximum.reduceat(lattice.score[product.arc], product.bundles)
    best = product.swept(np.maximum, largest)
    score = largest[product.bundle] + best[product.stop]
    node, arcs, spoken = 0, [], []
    while first[node] < first[node + 1]:
        step = int(first[node] + np.argmax(score[first[node] : first[node + 1]]))
        bundle = product.arc[product.bundle_of == product.bundle[step]]
        arcs.append(int(bundle[np.argmax(lattice.score[bundle])]))
        if product.spoken[step]:
            spoken.append(arcs[-1])
        node = int(product.stop[step])
    symbols = "".join(SYMBOLS[lattice.symbol[arc]] for arc in arcs)
    digits = "".join(SYMBOLS[lattice.symbol[arc]] for arc in spoken)
    return Path(tuple(arcs), tuple(spoken), symbols, text(digits, int(product.decimals[node])), float(best[0]))
