"""Readings of a segmentation graph and their probabilities (LeCun et al. 1998, sections V and VI).

A lattice has an arc for each candidate segment and each symbol it may be, with a log weight. A path from the first
node to the last is a segmentation with a reading; its weight is the sum of its arcs'. Several paths have one text:
other cuts, other marks. All sums here are exact and over all paths.

    forward     log of the summed weight of all paths
    viterbi     the path of the largest weight
    n_best      the texts of the largest summed weight

Under a format the paths are those of the lattice's product with the format's automaton (`constrained`). As both are
read from left to right and the automaton is deterministic, each path of the lattice is in the product at most once.
The weights are then pushed to the front (Mohri 2002): what leaves a node of the product sums to one, and the
probability of a path, given the format, is the product of its arcs'. Prefixes of texts have probabilities as well.
"""

import heapq
import math
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.automaton import NONE, Automaton, text
from app.fields.symbols import DIGITS, SYMBOLS

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

NEGLIGIBLE: Final = 1e-12
"""An arc that is on the path with a smaller probability is not searched for texts."""
SEARCHED_ARCS: Final = 20_000
"""Arcs that are searched before the search gets narrow: some 10 ms."""
WIDTH: Final = 8
"""Beginnings of texts that a narrow search follows."""


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


@dataclass(frozen=True)
class Text:
    """What a caller sees of all the paths that are read so."""

    text: str
    mass: float  # log of their summed weight


@dataclass(frozen=True, eq=False)
class Constrained:
    """The paths of a lattice that an automaton accepts: the nodes and arcs of the product that are on one.

    Nodes are sorted by the lattice's node, arcs by the node they leave. Without a path there is neither.
    """

    lattice: Lattice
    layers: Ints  # (lattice nodes + 1,): the product's nodes of lattice node i are layers[i] .. layers[i + 1] - 1
    decimals: Ints  # (nodes,): of the last layer, digits behind the point of a text that ends there
    first: Ints  # (nodes + 1,): the arcs that leave node i are first[i] .. first[i + 1] - 1
    stop: Ints  # (arcs,): the node an arc leads to
    arc: Ints  # (arcs,): the lattice's arc
    char: Ints  # (arcs,): the digit that it adds to the text, or NONE

    @cached_property
    def leaves(self) -> Ints:
        """(arcs,): the node that an arc leaves."""
        return np.repeat(np.arange(len(self.decimals)), np.diff(self.first))

    @cached_property
    def onward(self) -> Floats:
        """(nodes,): log of the summed weight of all ways from a node to the end."""
        return self.swept(np.logaddexp)

    @cached_property
    def forward(self) -> float:
        """Log of the summed weight of all paths; -inf without one."""
        return float(self.onward[0]) if len(self.decimals) else -np.inf

    @cached_property
    def probability(self) -> Floats:
        """(arcs,): of an arc, given its start; what leaves a node sums to one."""
        return np.exp(self.lattice.score[self.arc] + self.onward[self.stop] - self.onward[self.leaves])

    @cached_property
    def occupancy(self) -> Floats:
        """(arcs,): the probability that an arc is on the path."""
        at = np.zeros(len(self.decimals))  # that a node is
        at[:1] = 1
        out = np.empty(len(self.arc))
        for low, high in pairwise(self.layers[:-1].tolist()):
            arcs = slice(self.first[low], self.first[high])
            out[arcs] = at[self.leaves[arcs]] * self.probability[arcs]
            np.add.at(at, self.stop[arcs], out[arcs])
        return out

    def swept(self, plus: np.ufunc) -> Floats:
        """(nodes,): from the end back, what all ways from a node to the end come to when ways are joined by `plus`."""
        values = np.zeros(len(self.decimals))
        score = self.lattice.score[self.arc]
        first = self.first
        for low, high in list(pairwise(self.layers.tolist()))[-2::-1]:
            if low < high:
                arcs = slice(first[low], first[high])
                values[low:high] = plus.reduceat(score[arcs] + values[self.stop[arcs]], first[low:high] - first[low])
        return values


def constrained(lattice: Lattice, automaton: Automaton) -> Constrained:
    """The paths of a lattice that an automaton accepts."""
    order = np.flatnonzero(lattice.score > -np.inf)
    order = order[np.argsort(lattice.start[order], kind="stable")]
    bounds = np.searchsorted(lattice.start[order], np.arange(lattice.nodes + 1)).tolist()
    symbol, stop = lattice.symbol[order], lattice.stop[order]
    states, last = automaton.states, lattice.nodes - 1
    reached = np.zeros((lattice.nodes, states), np.bool_)
    reached[0, 0] = True
    heads: list[Ints] = []  # of the arcs that leave each layer: node * states + state
    tails: list[Ints] = []
    arcs: list[Ints] = []
    for node in range(last):
        here = np.flatnonzero(reached[node])
        a, b = bounds[node], bounds[node + 1]
        after = automaton.next[here[:, None], symbol[a:b]]  # (states here, arcs)
        row, column = np.nonzero(after != NONE)
        heads.append(node * states + here[row])
        tails.append(stop[a:b][column] * states + after[row, column])
        arcs.append(order[a:b][column])
        reached.ravel()[tails[-1]] = True
    useful = np.zeros(lattice.nodes * states, np.bool_)
    useful[last * states :] = reached[last] & (automaton.decimals != NONE)
    for node in range(last - 1, -1, -1):
        kept = useful[tails[node]]
        heads[node], tails[node], arcs[node] = heads[node][kept], tails[node][kept], arcs[node][kept]
        useful[heads[node]] = True
    keys = np.flatnonzero(useful)  # the product's nodes; from here on they are numbered without gaps
    head, tail, arc = (np.concatenate([np.zeros(0, np.int64), *parts]) for parts in (heads, tails, arcs))
    spoken = (lattice.symbol[arc] < DIGITS) & ~automaton.mute[head % states]
    return Constrained(
        lattice=lattice,
        layers=np.searchsorted(keys, np.arange(lattice.nodes + 1) * states),
        decimals=automaton.decimals[keys % states].astype(np.int64),
        first=np.searchsorted(head, np.append(keys, np.iinfo(np.int64).max)),
        stop=np.searchsorted(keys, tail),
        arc=arc,
        char=np.where(spoken, lattice.symbol[arc], NONE),
    )


def viterbi(product: Constrained) -> Path | None:
    """The path of the largest weight (Viterbi 1967); None without one."""
    if not len(product.decimals):
        return None
    best = product.swept(np.maximum)
    score = product.lattice.score[product.arc] + best[product.stop]
    node, arcs, spoken = 0, [], []
    while product.first[node] < product.first[node + 1]:
        arc = int(product.first[node] + np.argmax(score[product.first[node] : product.first[node + 1]]))
        arcs.append(int(product.arc[arc]))
        if product.char[arc] != NONE:
            spoken.append(arcs[-1])
        node = int(product.stop[arc])
    symbols = "".join(SYMBOLS[product.lattice.symbol[arc]] for arc in arcs)
    digits = "".join(SYMBOLS[product.lattice.symbol[arc]] for arc in spoken)
    return Path(tuple(arcs), tuple(spoken), symbols, text(digits, int(product.decimals[node])), float(best[0]))


def n_best(product: Constrained, n: int) -> list[Text]:
    """The n texts of the largest mass, the largest first; fewer where no others have a probability over NEGLIGIBLE.

    A best-first search over beginnings of texts: a beginning's probability, which is that of all texts that begin so,
    bounds theirs, so that the first whole text that comes out is the best (prefix search, Graves 2012, section 7.5).
    Where nothing stands out it is ended by SEARCHED_ARCS. Then the WIDTH likeliest beginnings alone are followed, for
    so many arcs again, and the text of the best path is looked at as well; their masses are exact all the same.
    """
    if not len(product.decimals):
        return []
    search = _Search(product)
    queue: list[Beginning] = [(-1.0, "", {0: 1.0})]
    whole: dict[str, float] = {}  # -probability
    while queue and len(whole) < n and search.arcs <= SEARCHED_ARCS:
        negative, beginning, nodes = heapq.heappop(queue)
        if not nodes:
            whole[beginning] = negative
            continue
        for continued in search.expand(beginning, nodes):
            heapq.heappush(queue, continued)
    if len(whole) < n and queue:
        whole |= search.narrow(queue) | search.follow(viterbi(product))
    best = heapq.nsmallest(n, ((negative, text) for text, negative in whole.items()))
    return [Text(text, product.forward + math.log(-negative)) for negative, text in best]


Beginning = tuple[float, str, dict[int, float]]
"""-probability, text, and how much of it has come to which nodes; a whole text has no nodes."""


class _Search:
    """Beginnings of texts, continued by one digit or by their end."""

    def __init__(self, product: Constrained) -> None:
        self.arcs = 0  # looked at so far
        seen = product.occupancy > NEGLIGIBLE
        self._first = np.concatenate(([0], np.cumsum(seen)))[product.first].tolist()
        self._stop, self._char = product.stop[seen].tolist(), product.char[seen].tolist()
        self._probability = product.probability[seen].tolist()
        self._last = int(product.layers[-2])
        self._decimals = product.decimals

    def expand(self, beginning: str, nodes: dict[int, float]) -> list[Beginning]:
        """All that may follow a beginning, of which a part of the probability has come to each of `nodes`."""
        digits: list[dict[int, float]] = [{} for _ in range(DIGITS)]
        ends: dict[str, float] = {}
        here, waiting = dict(nodes), list(nodes)
        heapq.heapify(waiting)
        while waiting:  # in the order of the nodes: all that comes to one by marks has come before it is left
            node = heapq.heappop(waiting)
            share = here[node]
            if node >= self._last:
                end = text(beginning, int(self._decimals[node]))
                ends[end] = ends.get(end, 0.0) + share
            first, last = self._first[node], self._first[node + 1]
            self.arcs += last - first
            for arc in range(first, last):
                char, stop, added = self._char[arc], self._stop[arc], share * self._probability[arc]
                if char == NONE:
                    if stop not in here:
                        heapq.heappush(waiting, stop)
                    reached = here
                else:
                    reached = digits[char]
                reached[stop] = reached.get(stop, 0.0) + added
        return [(-p, end, {}) for end, p in ends.items()] + [
            (-sum(reached.values()), f"{beginning}{char}", reached) for char, reached in enumerate(digits) if reached
        ]

    def narrow(self, queue: list[Beginning]) -> dict[str, float]:
        """-probability of the whole texts that come of the likeliest beginnings."""
        whole: dict[str, float] = {}
        while queue and self.arcs <= 2 * SEARCHED_ARCS:
            whole |= {end: negative for negative, end, nodes in queue if not nodes}
            best = heapq.nsmallest(WIDTH, [item for item in queue if item[2]])
            queue = [continued for _, beginning, nodes in best for continued in self.expand(beginning, nodes)]
        return whole

    def follow(self, path: Path | None) -> dict[str, float]:
        """-probability of the text of a path."""
        if path is None:
            return {}
        nodes = {0: 1.0}
        digits = path.text.replace(".", "")
        for known in range(len(digits) + 1):
            following = self.expand(digits[:known], nodes)
            wanted = digits[: known + 1] if known < len(digits) else path.text
            found = [item for item in following if item[1] == wanted and bool(item[2]) == (known < len(digits))]
            if not found:
                return {}
            negative, _, nodes = found[0]
        return {path.text: negative}


def point(product: Constrained) -> float:
    """The probability, given the format, that a text has a decimal point."""
    ends = product.stop >= product.layers[-2]
    return float(product.occupancy[ends & (product.decimals[product.stop] > 0)].sum())


def characters(product: Constrained, length: int) -> Floats:
    """(length, 10): the probability, given the format, that a text has `length` digits and which stands at each place.

    Each row sums to the probability of that length.
    """
    if not len(product.decimals):
        return np.zeros((length, DIGITS))
    leaves, spoken = product.leaves, product.char != NONE
    behind = np.zeros((len(product.decimals), length + 1))  # by node and count: come to the node with so many digits
    ahead = np.zeros_like(behind)  # go on to the end with so many more
    behind[0, 0] = 1
    ahead[product.layers[-2] :, 0] = 1
    entering = np.argsort(product.stop, kind="stable")
    entered = np.searchsorted(product.stop[entering], np.arange(len(behind) + 1))
    layers = list(pairwise(product.layers.tolist()))
    for low, high in layers[1:]:
        if low < high:
            arcs = entering[entered[low] : entered[high]]
            ways = _counted(behind[leaves[arcs]], spoken[arcs]) * product.probability[arcs, None]
            behind[low:high] = np.add.reduceat(ways, entered[low:high] - entered[low])
    for low, high in layers[-2::-1]:
        if low < high:
            out = slice(product.first[low], product.first[high])
            ways = _counted(ahead[product.stop[out]], spoken[out]) * product.probability[out, None]
            ahead[low:high] = np.add.reduceat(ways, product.first[low:high] - product.first[low])
    through = behind[leaves, :length] * product.probability[:, None] * ahead[product.stop, :length][:, ::-1]
    return np.stack([through[product.char == digit].sum(axis=0) for digit in range(DIGITS)], axis=1)


def _counted(ways: Floats, spoken: npt.NDArray[np.bool_]) -> Floats:
    """Ways (arcs, counts) by their number of digits, after one digit more where the arc is a `spoken` one."""
    more = np.zeros_like(ways)
    more[:, 1:] = ways[:, :-1]
    return np.where(spoken[:, None], more, ways)
