"""What a lattice says under a format, digit by digit: the likeliest texts.

Marks add nothing to a text. A chain of digits takes from all nodes of a product at once to all that one digit leads
to, whatever marks stand before it; beginnings of texts, which a search for texts works on, are vectors over the nodes.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np

from app.fields.automaton import text
from app.fields.lattice import Constrained, Floats, Ints, Path, viterbi

NEGLIGIBLE: Final = 1e-13
"""A step that is on the path with a smaller probability is left out."""
FADED: Final = 1e-16
"""What goes on by more marks than are looked at has a smaller probability; and a smaller share of a beginning's, what
is at a node that is not gone on from."""
WIDTH: Final = 1
"""Beginnings of texts that a search follows at most, for each text that is asked for ..."""
WORK: Final = 16_000
"""... but no more than have so many steps together, and LEAST_WIDTH of them in any case."""
LEAST_WIDTH: Final = 8


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
    mark_stop: Ints  # (marks,): the node that it leads to; they are sorted by it
    mark: Floats  # (marks,): its probability, given the node that it leaves
    leaves: Ints  # (spoken,): the node that a step with a digit leaves
    stop: Ints  # (spoken,): the node that it leads to; they are sorted by it
    digit: Floats  # (10, spoken): the probability of each digit, given the node that it leaves

    @classmethod
    def of(cls, product: Constrained) -> "Chain":
        """The chain of a product; without what is NEGLIGIBLE."""
        seen = product.taken > NEGLIGIBLE
        marks = np.flatnonzero(seen & ~product.spoken)
        marks = marks[np.argsort(product.stop[marks], kind="stable")]
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
            digit=product.probability[spoken] * product.digits[product.bundle[spoken]].T,
        )

    def after_marks(self, arrived: Floats) -> Floats:
        """(n, nodes): what passes each node, of what has just come to it (n, nodes) and goes on by any marks."""
        total, moving = arrived, arrived
        while len(self.mark):
            moving = _moved(moving, self.mark_leaves, self.mark_stop, self.mark)
            if moving.max() < FADED:
                break
            total = total + moving
        return total

    def after_digit(self, here: Floats) -> Floats:
        """(n, 10, nodes): what comes to each node by each digit, of what passes each (n, nodes)."""
        return _moved(here[:, None], self.leaves, self.stop, self.digit)


def _moved(here: Floats, leaves: Ints, stop: Ints, probability: Floats) -> Floats:
    """(..., nodes): what comes to each node by steps of these probabilities (..., steps), of what is at each."""
    seen = here > FADED * here.max(axis=-1, initial=0.0, keepdims=True)
    steps = np.flatnonzero(seen.any(axis=tuple(range(seen.ndim - 1)))[leaves])
    moving = probability[..., steps] * here[..., leaves[steps]]
    out = np.zeros((*moving.shape[:-1], here.shape[-1]))
    stop = stop[steps]
    if len(stop):
        first = np.flatnonzero(np.diff(stop, prepend=-1))
        out[..., stop[first]] = np.add.reduceat(moving, first, axis=-1)
    return out


def n_best(chain: Chain, n: int) -> list[Text]:
    """The n texts of the largest mass, the largest first; fewer where no others have a probability over NEGLIGIBLE.

    A search over beginnings of texts, by their length: a beginning's probability is that of all texts that begin so,
    and bounds theirs, so that what is less likely than n whole texts is given up (prefix search, Graves 2012, section
    7.5). Where nothing stands out, only the likeliest beginnings are followed, and the text of the best path is looked
    at as well; the masses are exact all the same.
    """
    search = _Search(chain, n)
    beginnings = [""]
    arrived = chain.start[None]
    while beginnings:
        beginnings, arrived = search.longer(beginnings, arrived)
    if search.given_up > search.floor:
        search.follow(viterbi(chain.product))
    best = sorted(search.whole.items(), key=lambda one: -one[1])[:n]
    return [Text(text, chain.product.forward + math.log(probability)) for text, probability in best]


class _Search:
    """Beginnings of texts of one length, continued by one digit or by their end."""

    def __init__(self, chain: Chain, n: int) -> None:
        self.whole: dict[str, float] = {}  # the probability of the texts that were found
        self.floor = 0.0  # that of the n-th likeliest of them
        self.given_up = 0.0  # that of the likeliest beginning that was not followed though it may hold one of the n
        self._chain = chain
        self._n = n
        self._width = max(LEAST_WIDTH, min(WIDTH * n, WORK // max(len(chain.stop), 1)))
        ends = np.flatnonzero(chain.end)
        self._decimals = np.unique(chain.decimals[ends]).tolist()
        self._ending = [ends[chain.decimals[ends] == decimals] for decimals in self._decimals]

    def longer(self, beginnings: list[str], arrived: Floats) -> tuple[list[str], Floats]:
        """Take note of texts that end, and go on with the likeliest of the others; `arrived` is (beginnings, nodes)."""
        here = self._chain.after_marks(arrived)
        self._end(beginnings, here)
        following = self._chain.after_digit(here)
        probability = following.sum(axis=2)
        rows, digits = np.nonzero(probability > self.floor)
        order = np.argsort(-probability[rows, digits], kind="stable")
        if len(order) > self._width:
            self.given_up = max(self.given_up, float(probability[rows, digits][order[self._width]]))
            order = order[: self._width]
        rows, digits = rows[order], digits[order]
        longer = [f"{beginnings[row]}{digit}" for row, digit in zip(rows.tolist(), digits.tolist(), strict=True)]
        return longer, following[rows, digits]

    def follow(self, path: Path | None) -> None:
        """Take note of the text of a path."""
        if path is None:
            return
        arrived, digits = self._chain.start[None], path.text.replace(".", "")
        for digit in digits:
            arrived = self._chain.after_digit(self._chain.after_marks(arrived))[:, int(digit)]
        self._end([digits], self._chain.after_marks(arrived))

    def _end(self, beginnings: list[str], here: Floats) -> None:
        for decimals, ends in zip(self._decimals, self._ending, strict=True):
            probability = here[:, ends].sum(axis=1)
            for row in np.flatnonzero(probability).tolist():
                end = text(beginnings[row], decimals)
                self.whole[end] = max(self.whole.get(end, 0.0), float(probability[row]))
        if len(self.whole) >= self._n:
            self.floor = sorted(self.whole.values())[-self._n]
