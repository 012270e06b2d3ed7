"""What a field may hold: a deterministic acceptor of symbol strings that also says which text each of them is.

The digits of a string make its text, marks are skipped: `1,234.50` and `1234.50` are one text. Where a text has a
decimal point depends on how the string ends, so it is a property of the state in which it ends.
"""

from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, TypeVar

import numpy as np
import numpy.typing as npt

from app.fields.symbols import DIGITS, SYMBOLS

S = TypeVar("S", bound=Hashable)

NONE: Final = -1
"""In `next`: no such transition. In `decimals`: a string may not end here."""


@dataclass(frozen=True, eq=False)
class Automaton:
    """A deterministic acceptor over SYMBOLS; state 0 is the start. It may have no accepting state."""

    next: npt.NDArray[np.int32]  # (states, symbols): the state after a symbol, or NONE
    decimals: npt.NDArray[np.int8]  # (states,): digits behind the point of a text that ends here, or NONE
    mute: npt.NDArray[np.bool_]  # (states,): digits read from here are no part of the text, as the 100 of 50/100

    @property
    def states(self) -> int:
        """How many states there are."""
        return len(self.next)

    @property
    def empty(self) -> bool:
        """Whether it accepts nothing."""
        return bool(np.all(self.decimals == NONE))

    @cached_property
    def alike(self) -> npt.NDArray[np.int64]:
        """(symbols,): a number for each symbol; two digits, or two marks, that never lead to other states share one."""
        columns = np.vstack((np.arange(len(SYMBOLS)) < DIGITS, self.next))
        return np.unique(columns, axis=1, return_inverse=True)[1].ravel()

    def has_length(self, length: int) -> bool:
        """Whether a text of so many digits is accepted."""
        spoken = np.arange(len(SYMBOLS)) < DIGITS
        says = spoken & ~self.mute[:, None] & (self.next != NONE)  # (states, symbols)
        silent = ~says & (self.next != NONE)
        here = np.arange(self.states) == 0
        for remaining in range(length, -1, -1):
            while not here[after := np.unique(self.next[here[:, None] & silent])].all():
                here[after] = True
            if remaining:
                following = np.zeros(self.states, np.bool_)
                following[self.next[here[:, None] & says]] = True
                here = following
        return bool(np.any(self.decimals[here] != NONE))

    def says(self, text: str) -> bool:
        """Whether a string with this text is accepted."""
        return not self.restricted_to([text]).empty

    def text_of(self, symbols: str) -> str | None:
        """The text of a symbol string; None where it is not accepted."""
        state, digits = 0, ""
        for symbol in symbols:
            index = SYMBOLS.index(symbol)
            if index < DIGITS and not self.mute[state]:
                digits += symbol
            state = int(self.next[state, index])
            if state == NONE:
                return None
        decimals = int(self.decimals[state])
        return None if decimals == NONE else text(digits, decimals)

    def skipping(self, symbols: str) -> "Automaton":
        """The same, with any of `symbols` skipped wherever a string could not go on with it."""
        table = self.next.copy()
        here = np.arange(self.states)
        for symbol in symbols:
            column = table[:, SYMBOLS.index(symbol)]
            column[:] = np.where(column == NONE, here, column)
        return minimal(table, self.decimals, self.mute)

    def restricted_to(self, texts: Iterable[str]) -> "Automaton":
        """The strings of this automaton whose text is one of `texts`; minimal."""
        children, ends, root = _graph(texts)
        return self.product(
            root, lambda node, digit: children[node].get(digit), lambda node, decimals: decimals in ends[node]
        )

    def product(self, start: S, step: Callable[[S, int], S | None], ends: Callable[[S, int], bool]) -> "Automaton":
        """The strings of this automaton whose text another acceptor takes as well; minimal.

        The other begins in `start`, `step` leads it on by each digit of the text, None where none such may follow, and
        `ends` says whether a text with so many decimals may end there.
        """
        numbers = {(0, start): 0}  # (our state, the other's) -> the new state
        rows: list[list[int]] = []
        pairs = list(numbers)
        for state, other in pairs:  # which grows
            row = [NONE] * len(SYMBOLS)
            for index in np.flatnonzero(self.next[state] != NONE).tolist():
                after: S | None = other
                if index < DIGITS and not self.mute[state]:
                    after = step(other, index)
                if after is not None:
                    pair = (int(self.next[state, index]), after)
                    if pair not in numbers:
                        numbers[pair] = len(numbers)
                        pairs.append(pair)
                    row[index] = numbers[pair]
            rows.append(row)
        decimals = [int(self.decimals[state]) for state, _ in pairs]
        return minimal(
            rows,
            [end if ends(other, end) else NONE for end, (_, other) in zip(decimals, pairs, strict=True)],
            [bool(self.mute[state]) for state, _ in pairs],
        )


def text(digits: str, decimals: int) -> str:
    """Digits with a point before the last `decimals` of them."""
    return f"{digits[:-decimals]}.{digits[-decimals:]}" if decimals else digits


def minimal(next_: Any, decimals: Any, mute: Any) -> Automaton:
    """The smallest automaton of the same strings and texts, by refining a partition of the states (Moore 1956).

    `next_` (states, symbols), `decimals` (states,) and `mute` (states,) are as the Automaton's.
    """
    table: npt.NDArray[np.int32] = np.array(next_, np.int32).reshape(-1, len(SYMBOLS))
    ends: npt.NDArray[np.int8] = np.array(decimals, np.int8)
    useful = ends != NONE  # whether an end can be reached
    while (grown := useful | ((table != NONE) & useful[table]).any(axis=1)).sum() > useful.sum():
        useful = grown
    table[(table != NONE) & ~useful[table]] = NONE
    muted = np.array(mute, np.bool_) & (table[:, :DIGITS] != NONE).any(axis=1)
    label = ends.astype(np.int64) * 2 + muted
    count = 0
    while (classes := len(np.unique(label))) > count:
        count = classes
        after = np.where(table == NONE, NONE, label[table])
        _, label = np.unique(np.column_stack((label, after)), axis=0, return_inverse=True)
    return _numbered(table, ends, muted, label)


def _numbered(
    table: npt.NDArray[np.int32], ends: npt.NDArray[np.int8], muted: npt.NDArray[np.bool_], label: npt.NDArray[Any]
) -> Automaton:
    """One state a class, numbered as a breadth-first walk from the start meets them."""
    numbers = {int(label[0]): 0}
    met = [0]  # one of the old states of each class
    for state in met:
        for after in table[state].tolist():
            if after != NONE and int(label[after]) not in numbers:
                numbers[int(label[after])] = len(met)
                met.append(after)
    rows = [[numbers[int(label[after])] if after != NONE else NONE for after in table[state].tolist()] for state in met]
    return Automaton(np.array(rows, np.int32), ends[met], muted[met])


def _graph(texts: Iterable[str]) -> tuple[list[Mapping[int, int]], list[frozenset[int]], int]:
    """Texts as an acyclic graph of their digits: children by digit and ends of each node, and the root.

    An end is the number of digits behind the point. Built from the leaves up, so that a node is made once whatever
    the number of texts that end as it does (Daciuk et al. 2000, Incremental Construction of Minimal Acyclic Automata).
    """
    words = sorted({(t.replace(".", ""), len(t.partition(".")[2])) for t in texts})
    children: list[Mapping[int, int]] = []
    ends: list[frozenset[int]] = []
    made: dict[tuple[frozenset[int], tuple[tuple[int, int], ...]], int] = {}

    def node(first: int, last: int, depth: int) -> int:
        """The node of the words first..last-1, which begin with the same `depth` digits."""
        here = first
        while here < last and len(words[here][0]) == depth:
            here += 1
        end = frozenset(decimals for _, decimals in words[first:here])
        arcs: list[tuple[int, int]] = []
        while here < last:
            digit = words[here][0][depth]
            beyond = here
            while beyond < last and words[beyond][0][depth] == digit:
                beyond += 1
            arcs.append((int(digit), node(here, beyond, depth + 1)))
            here = beyond
        if (key := (end, tuple(arcs))) not in made:
            made[key] = len(children)
            children.append(dict(arcs))
            ends.append(end)
        return made[key]

    return children, ends, node(0, len(words), 0)
