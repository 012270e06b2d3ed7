"""Collapsed stacks of a sampling profiler: rows of `outermost;...;innermost NUMBER`; a frame is `name (file:line)`."""

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Self

Stack = tuple[str, ...]  # frames
FRAME = re.compile(r".+ \(.+:\d+\)")

ROOTS = ("Runner.run (asyncio/runners.py", "_WorkItem.run (concurrent/futures/thread.py")
"""Frames that stand under all work: what is below them is how the process was started."""
WAITS = ("_worker (concurrent/futures/thread.py",)
"""Innermost frames of a thread that waits for work; the profiler takes them for running."""
LEAST = 0.004  # of all samples: narrower frames are left out of a tree


@dataclass(frozen=True)
class Stacks:
    """Samples of what ran: each a stack from the event loop or a pool's job on, with how often it was seen."""

    samples: tuple[tuple[Stack, int], ...]

    @classmethod
    def parse(cls, text: str) -> Self:
        """Without threads that waited, and without torn rows, as they come of a process that was not stopped."""
        return cls(tuple(_samples(text)))

    @property
    def total(self) -> int:
        """Samples in all."""
        return sum(number for _, number in self.samples)

    def innermost(self, count: int) -> dict[str, float]:
        """The lines in which most samples end, with their share."""
        return self._most(count, lambda stack: {stack[-1]})

    def passed(self, count: int, folders: Sequence[str]) -> dict[str, float]:
        """The functions of files in these folders through which most samples pass, with their share."""
        within = tuple(f"({folder}/" for folder in folders)
        return self._most(count, lambda stack: {function(one) for one in stack if any(map(one.__contains__, within))})

    def packages(self, count: int) -> dict[str, float]:
        """The packages in which most samples end, with their share."""
        return self._most(count, lambda stack: {package(stack[-1])})

    def _most(self, count: int, keys: Callable[[Stack], set[str]]) -> dict[str, float]:
        found: Counter[str] = Counter()
        for stack, number in self.samples:
            for key in keys(stack):
                found[key] += number
        return {key: number / self.total for key, number in found.most_common(count)}

    def tree(self) -> dict[str, Any]:
        """Nested functions: {"name", "share", "children"}, the narrow ones left out."""
        return _node("all", [*self.samples], self.total)


def _samples(text: str) -> Iterator[tuple[Stack, int]]:
    for row in text.splitlines():
        frames, _, number = row.rpartition(" ")
        stack = frames.split(";")
        starts = [place for place, frame in enumerate(stack) if frame.startswith(ROOTS)]
        if number.isdecimal() and FRAME.fullmatch(stack[-1]) and not stack[-1].startswith(WAITS):
            yield tuple(stack[starts[-1] if starts else 0 :]), int(number)


def function(frame: str) -> str:
    """A frame without its line."""
    before, colon, _ = frame.rpartition(":")
    return f"{before})" if colon else frame


def package(frame: str) -> str:
    """The first folder of a frame's file, or the file."""
    return frame.rpartition("(")[2].rstrip(")").partition("/")[0].partition(":")[0].removesuffix(".py")


def _node(name: str, samples: list[tuple[Stack, int]], total: int) -> dict[str, Any]:
    below: dict[str, list[tuple[Stack, int]]] = {}
    for stack, number in samples:
        if stack:
            below.setdefault(function(stack[0]), []).append((stack[1:], number))
    children = [_node(key, inner, total) for key, inner in below.items() if _weight(inner) >= LEAST * total]
    return {"name": name, "share": _weight(samples) / total, "children": children}


def _weight(samples: list[tuple[Stack, int]]) -> int:
    return sum(number for _, number in samples)
