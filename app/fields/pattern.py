r"""Patterns of a field: a small part of the regular expressions, compiled to an automaton.

    0 .. 9            that digit
    # \d              any digit
    [0-5 7]           one of these
    ( ) (?: ) |       a group; one or the other
    ? * + {3} {2,4}   what stands before is missing or once; any number; at least one; so many
    - . , / $         that mark
    ~                 what stands behind is a digit that is no part of the text
    blank ^           nothing: a blank is no ink

Compiled by Thompson's construction (1968), the construction of subsets (Rabin and Scott 1959) and minimisation.
"""

from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from app.errors import InvalidParameter
from app.fields.automaton import NONE, Automaton, minimal
from app.fields.symbols import DIGITS, SYMBOLS

LONGEST: Final = 300
"""Characters of a pattern."""
DEEPEST: Final = 20
"""Groups within groups."""
MOST_STATES: Final = 500
"""Of either automaton on the way to the smallest one; a field has some hundred characters at most."""

T = TypeVar("T")
Part = Callable[[int], int]  # from the state where it begins to the state where it ends


def compiled(patterns: Mapping[str, int], *, skip_marks: bool) -> Automaton:
    """The strings that one of the patterns allows; each has its number of digits behind the point.

    With `skip_marks` the marks of a pattern stand for nothing, and a string may have any marks anywhere. Raises
    InvalidParameter for a broken pattern, and for one whose automaton is too large.
    """
    machine = _Machine()
    ends: dict[int, int] = {}
    for pattern, decimals in patterns.items():
        start = machine.state()
        machine.silent[0].append(start)
        ends[_Parser(pattern, machine, skip_marks=skip_marks).whole()(start)] = decimals
    automaton = machine.determined(ends)
    return automaton.skipping(SYMBOLS[DIGITS:]) if skip_marks else automaton


class _Machine:
    """A nondeterministic automaton that is being built; state 0 is the start."""

    def __init__(self) -> None:
        self.silent: list[list[int]] = []  # by state: what it becomes without a symbol
        self.arcs: list[list[tuple[frozenset[int], bool, int]]] = []  # by state: symbols, whether mute, the state after
        self.state()

    def state(self) -> int:
        """A new state."""
        if len(self.arcs) >= MOST_STATES:
            raise _wrong("it is too large")
        self.silent.append([])
        self.arcs.append([])
        return len(self.arcs) - 1

    def determined(self, ends: Mapping[int, int]) -> Automaton:
        """The smallest deterministic automaton, of the states that end a string and their digits behind the point."""
        start = self._closure({0})
        numbers, sets = {start: 0}, [start]
        rows: list[list[int]] = []
        mute: list[bool] = []
        for here in sets:  # which grows
            row = [NONE] * len(SYMBOLS)
            arcs = [arc for state in here for arc in self.arcs[state]]
            for symbol in range(len(SYMBOLS)):
                after = self._closure({to for symbols, _, to in arcs if symbol in symbols})
                if after:
                    if after not in numbers:
                        if len(sets) >= MOST_STATES:
                            raise _wrong("it is too large")
                        numbers[after] = len(sets)
                        sets.append(after)
                    row[symbol] = numbers[after]
            rows.append(row)
            muted = {is_mute for symbols, is_mute, _ in arcs if min(symbols) < DIGITS}
            mute.append(_only(muted, default=False))
        return minimal(rows, [_only({ends[s] for s in here if s in ends}, default=NONE) for here in sets], mute)

    def _closure(self, states: set[int]) -> frozenset[int]:
        """The states, and what they become without a symbol."""
        waiting = list(states)
        while waiting:
            more = set(self.silent[waiting.pop()]) - states
            states |= more
            waiting += more
        return frozenset(states)


def _only(values: set[T], *, default: T) -> T:
    """The one value there is; a grammar under which a string would have two texts is a mistake of ours."""
    if len(values) > 1:
        raise ValueError(f"a string has two texts: {values}")
    return next(iter(values), default)


class _Parser:
    """Recursive descent over one pattern; what it returns builds the machine."""

    def __init__(self, pattern: str, machine: _Machine, *, skip_marks: bool) -> None:
        if len(pattern) > LONGEST:
            raise _wrong(f"it has more than {LONGEST} characters")
        self._left = list(pattern)[::-1]
        self._machine = machine
        self._skip_marks = skip_marks

    def whole(self) -> Part:
        """All of the pattern."""
        part = self._alternatives(0)
        if self._left:
            raise _wrong("a `)` has no `(`")
        return part

    def _peek(self) -> str:
        return self._left[-1] if self._left else ""

    def _take(self, what: str) -> bool:
        """Whether this character is next; then it is taken."""
        if found := self._peek() == what:
            self._left.pop()
        return found

    def _alternatives(self, depth: int) -> Part:
        parts = [self._sequence(depth)]
        while self._take("|"):
            parts.append(self._sequence(depth))
        return parts[0] if len(parts) == 1 else lambda start: self._join(start, parts)

    def _join(self, start: int, parts: list[Part]) -> int:
        """One of the parts."""
        end = self._machine.state()
        for part in parts:
            self._machine.silent[part(self._begun(start))].append(end)
        return end

    def _begun(self, start: int) -> int:
        """A state of its own for what begins here; it also makes empty groups count towards the bound."""
        begin = self._machine.state()
        self._machine.silent[start].append(begin)
        return begin

    def _sequence(self, depth: int) -> Part:
        parts: list[Part] = []
        while self._peek() not in ("", "|", ")"):
            parts.append(self._repeated(depth))

        def build(state: int) -> int:
            for part in parts:
                state = part(state)
            return state

        return build

    def _repeated(self, depth: int) -> Part:
        part = self._atom(depth)
        least, most = self._count()
        nothing: Part = lambda state: state  # noqa: E731 - the part that takes no symbol

        def build(state: int) -> int:
            for _ in range(least):
                state = part(state)
            if most is None:  # a hub that the part leads back to
                hub = self._begun(state)
                self._machine.silent[part(hub)].append(hub)
                return hub
            for _ in range(most - least):
                state = self._join(state, [part, nothing])
            return state

        return build

    def _count(self) -> tuple[int, int | None]:
        """How often what stands before may stand there: least and most, None for any number."""
        for sign, counts in {"?": (0, 1), "*": (0, None), "+": (1, None)}.items():
            if self._take(sign):
                return counts
        if not self._take("{"):
            return 1, 1
        inside = ""
        while self._peek() not in ("", "}"):
            inside += self._left.pop()
        low, comma, high = inside.partition(",")
        if not self._take("}") or not _is_count(low) or not (_is_count(high) or not high):
            raise _wrong("a count is {3}, {2,4} or {2,}")
        least = int(low)
        most = (int(high) if high else None) if comma else least
        if most is not None and most < least:
            raise _wrong(f"the count {{{inside}}} ends before it begins")
        return least, most

    def _atom(self, depth: int) -> Part:
        if self._take("("):
            if depth >= DEEPEST:
                raise _wrong(f"more than {DEEPEST} groups stand within each other")
            if self._take("?") and not self._take(":"):
                raise _wrong("a group begins with `(` or `(?:`")
            part = self._alternatives(depth + 1)
            if not self._take(")"):
                raise _wrong("a `(` has no `)`")
            return lambda start: part(self._begun(start))
        mute = self._take("~")
        return self._symbols(self._set() if self._take("[") else self._one(), mute=mute)

    def _one(self) -> frozenset[int]:
        """The symbols that the next character stands for."""
        if not self._left:
            raise _wrong("it ends too early")
        character = self._left.pop()
        if character == "#" or (character == "\\" and self._take("d")):
            return frozenset(range(DIGITS))
        if character == "\\" and self._left:
            character = self._left.pop()
        if character in " ^":
            return frozenset()
        if character not in SYMBOLS:
            raise _wrong(f"it has a {character!r}, which is none of its signs")
        return frozenset((SYMBOLS.index(character),))

    def _set(self) -> frozenset[int]:
        """The symbols between square brackets."""
        found: frozenset[int] = frozenset()
        empty = True
        while not self._take("]"):
            low, empty = self._one(), False
            if self._peek() == "-" and len(self._left) > 1 and self._left[-2] != "]":
                self._left.pop()
                high = self._one()
                if len(low) != 1 or len(high) != 1 or not min(low) <= min(high) < DIGITS:
                    raise _wrong("a range is of two digits, the lower one first")
                low = frozenset(range(min(low), min(high) + 1))
            found |= low
        if empty:
            raise _wrong("nothing stands between `[` and `]`")
        return found

    def _symbols(self, symbols: frozenset[int], *, mute: bool) -> Part:
        def build(start: int) -> int:
            end = self._machine.state()
            if not symbols or (self._skip_marks and min(symbols) >= DIGITS):
                self._machine.silent[start].append(end)
            else:
                self._machine.arcs[start].append((symbols, mute, end))
            return end

        return build


def _is_count(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) <= 3


def _wrong(why: str) -> InvalidParameter:
    return InvalidParameter(f"The pattern cannot be used: {why}.", parameter="pattern")
