"""What a lattice says under a format, digit by digit: the likeliest texts, and the digits at each place.

Marks add nothing to a text. A chain of digits takes from all nodes of a product at once to all that one digit leads
to, whatever marks stand before it; beginnings of texts, which a search for texts works on, are vectors over the nodes.
"""

import heapq
import math
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from app.fields.automaton import text
from app.fields.lattice import Constrained, Floats, Ints, Path, added, viterbi
from app.fields.symbols import DIGITS

NEGLIGIBLE: Final = 1e-13
"""A step that is on the path with a smaller probability is left out."""
FADED: Final = 1e-16
"""What goes on by more marks than are looked at has a smaller probability."""
EXPANSIONS: Final = 300
"""Beginnings of texts that are gone on from before the search gets narrow: some 10 ms."""
WIDTH: Final = 8
"""Beginnings of texts that a narrow search follows."""


@dataclass(frozen=True)
class Text:
    """What a caller sees of all the paths that are read so."""

    text: str
    mass: float  # log of their summed weight


@dataclass(frozen=True, eq=False)
class Chain:
    """The steps of a product: what each node leads to by a mark, and by each digit of the text."""

    product: Constrained
    start: Floats  # (nodes,): 1 for the first
    end: Floats  # (nodes,): 1 where a path ends
    decimals: Ints  # (nodes,): digits behind the point of a text that ends there
    mark_leaves: Ints  # (marks,): the node that a step without a digit leaves
    mark_stop: Ints  # (marks,): the node that it leads to
    mark: Floats  # (marks,): its probability, given the node that it leaves
    leaves: Ints  # (spoken,): the node that a step with a digit leaves
    stop: Ints  # (spoken,): the node that it leads to; they are sorted by it
    digit: Floats  # (spoken, 10): the probability of each digit, given the node that it leaves

    @classmethod
    def of(cls, product: Constrained) -> "Chain":
        """The chain of a product; without what is NEGLIGIBLE."""
        seen = product.taken > NEGLIGIBLE
        marks = np.flatnonzero(seen & ~product.spoken)
        spoken = np.flatnonzero(seen & product.spoken)
        spoken = spoken[np.argsort(product.stop[spoken], kind="stable")]
        kept = np.zeros(len(product.decimals), np.bool_)
        kept[product.leaves[seen]] = kept[product.stop[seen]] = kept[:1] = True
        number = np.cumsum(kept) - 1
        nodes = np.flatnonzero(kept)
        return cls(
            product=product,
            start=(nodes == 0).astype(np.float64),
            end=(nodes >= product.layers[-2]).astype(np.float64),
            decimals=product.decimals[nodes],
            mark_leaves=number[product.leaves[marks]],
            mark_stop=number[product.stop[marks]],
            mark=product.probability[marks],
            leaves=number[product.leaves[spoken]],
            stop=number[product.stop[spoken]],
            digit=product.probability[spoken, None] * product.digits[product.bundle[spoken]],
        )

    @cached_property
    def first(self) -> Ints:
        """Of the steps with a digit to each node that any leads to."""
        return np.flatnonzero(np.diff(self.stop, prepend=-1))

    @cached_property
    def any_digit(self) -> Floats:
        """(spoken,): the probability of a step, given the node that it leaves."""
        found: Floats = self.digit.sum(axis=1)
        return found

    def after_marks(self, arrived: Floats) -> Floats:
        """(nodes,): what passes each node, of what has just come to it (nodes,) and goes on by any marks."""
        return _spread(arrived, self.mark_leaves, self.mark_stop, self.mark)

    def before_marks(self, ahead: Floats) -> Floats:
        """(nodes,): the probability to come, from each node by any marks, to one from which `ahead` (nodes,) counts."""
        return _spread(ahead, self.mark_stop, self.mark_leaves, self.mark)

    def after_digit(self, here: Floats) -> Floats:
        """(nodes, 10): what comes to each node by each digit, of what passes each (nodes,)."""
        out = np.zeros((len(here), DIGITS))
        out[self.stop[self.first]] = np.add.reduceat(self.digit * here[self.leaves, None], self.first)
        return out

    def counted(self, length: int) -> tuple[list[Floats], list[Floats]]:
        """(nodes,) each: what passes each node after 0 .. length - 1 digits, and goes on to the end by as many."""
        behind, ahead = [self.after_marks(self.start)], [self.before_marks(self.end)]
        for _ in range(length - 1):
            come = added(self.any_digit * behind[-1][self.leaves], self.stop, len(self.end))
            to_go = added(self.any_digit * ahead[-1][self.stop], self.leaves, len(self.end))
            behind.append(self.after_marks(come))
            ahead.append(self.before_marks(to_go))
        return behind, ahead


def _spread(values: Floats, leaves: Ints, stop: Ints, weight: Floats) -> Floats:
    """The values (nodes,), and what comes of them to each node by any number of steps of these weights."""
    total, moving = values, values
    while len(weight):
        moving = added(weight * moving[leaves], stop, len(values))
        if moving.max() < FADED:
            break
        total = total + moving
    return total


def characters(chain: Chain, length: int) -> Floats:
    """(length, 10): the probability, given the format, that a text has `length` digits and which stands at each place.

    Each row sums to the probability of that length.
    """
    behind, ahead = chain.counted(length)
    ways = [before[chain.leaves] * after[chain.stop] for before, after in zip(behind, ahead[::-1], strict=True)]
    found: Floats = np.stack(ways)[:length] @ chain.digit
    return found


class Beginning(NamedTuple):
    """Of texts, or a whole text; the likeliest is the smallest."""

    negative: float  # -probability
    text: str
    whole: bool
    arrived: Floats  # (nodes,): how much of the probability has come to each node


def n_best(chain: Chain, n: int) -> list[Text]:
    """The n texts of the largest mass, the largest first; fewer where no others have a probability over NEGLIGIBLE.

    A best-first search over beginnings of texts: a beginning's probability, which is that of all texts that begin so,
    bounds theirs, so that the first whole text that comes out is the best (prefix search, Graves 2012, section 7.5).
    Where nothing stands out it is ended by EXPANSIONS. Then the WIDTH likeliest beginnings alone are followed, for as
    many again, and the text of the best path is looked at as well; their masses are exact all the same.
    """
    search = _Search(chain)
    queue = [search.root]
    whole: dict[str, float] = {}  # -probability
    while queue and len(whole) < n and search.expansions < EXPANSIONS:
        beginning = heapq.heappop(queue)
        if beginning.whole:
            whole[beginning.text] = beginning.negative
            continue
        for continued in search.expand(beginning):
            heapq.heappush(queue, continued)
    if len(whole) < n and queue:
        whole |= search.narrow(queue) | search.follow(viterbi(chain.product))
    best = heapq.nsmallest(n, ((negative, text) for text, negative in whole.items()))
    return [Text(text, chain.product.forward + math.log(-negative)) for negative, text in best]


class _Search:
    """Beginnings of texts, continued by one digit or by their end."""

    def __init__(self, chain: Chain) -> None:
        self.expansions = 0  # so far
        self._chain = chain
        self._ends = np.flatnonzero(chain.end)
        self.root = Beginning(-1.0, "", whole=False, arrived=chain.start)

    def expand(self, beginning: Beginning) -> list[Beginning]:
        """All that may follow a beginning."""
        self.expansions += 1
        known = beginning.text
        here = self._chain.after_marks(beginning.arrived)
        following = self._chain.after_digit(here)
        found = [
            Beginning(-p, f"{known}{digit}", whole=False, arrived=following[:, digit])
            for digit, p in enumerate(following.sum(axis=0).tolist())
            if p > 0
        ]
        ends: dict[str, float] = {}
        for node in self._ends[here[self._ends] > 0].tolist():
            end = text(known, int(self._chain.decimals[node]))
            ends[end] = ends.get(end, 0.0) + float(here[node])
        return found + [Beginning(-p, end, whole=True, arrived=here) for end, p in ends.items()]

    def narrow(self, queue: list[Beginning]) -> dict[str, float]:
        """-probability of the whole texts that come of the likeliest beginnings."""
        whole: dict[str, float] = {}
        while queue and self.expansions < 2 * EXPANSIONS:
            whole |= {one.text: one.negative for one in queue if one.whole}
            best = heapq.nsmallest(WIDTH, [one for one in queue if not one.whole])
            queue = [continued for beginning in best for continued in self.expand(beginning)]
        return whole

    def follow(self, path: Path | None) -> dict[str, float]:
        """-probability of the text of a path."""
        if path is None:
            return {}
        beginning, digits = self.root, path.text.replace(".", "")
        for known in range(len(digits) + 1):
            wanted = (path.text, True) if known == len(digits) else (digits[: known + 1], False)
            found = [one for one in self.expand(beginning) if (one.text, one.whole) == wanted]
            if not found:
                return {}
            beginning = found[0]
        return {path.text: beginning.negative}
