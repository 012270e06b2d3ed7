"""When to come back: whoever is refused is told a time at which there will be room."""

import time
from collections.abc import Callable
from math import ceil
from typing import Final

KEPT: Final = 0.4
"""Of what a worker answers, this share is promised to those who come back.

The rest is left to those who come anew. In a closed loop of callers that want k times the capacity and come back when
they are told to, the chance to be refused is then KEPT / (1 + KEPT), whatever k is: 2 % are refused three times.
"""
LONGEST: Final = 30
"""Seconds that anybody is told to wait at most: by then the load may be another."""
REMEMBERED: Final = 10.0
"""Seconds of work from which the rate is taken, up to twice as many."""


class Pacing:
    """Measures how many pictures a second a worker answers while it has any, and gives out turns at that rate."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._answered = 0.0  # pictures, in `_busy` seconds
        self._busy = 0.0
        self._since = 0.0  # when something was last held, while something is
        self._turn = 0.0  # the last that was given out

    def holds(self, before: int, after: int) -> None:
        """The worker held so many pictures, and holds so many now."""
        now = self._clock()
        if before:
            self._busy += now - self._since
            self._answered += max(0, before - after)
        self._since = now
        if self._busy > 2 * REMEMBERED:
            self._busy, self._answered = self._busy / 2, self._answered / 2

    def turn(self, pictures: int) -> int:
        """Whole seconds after which who is refused with so many has the next turn, 1 to LONGEST."""
        now = self._clock()
        seconds = pictures * self._busy / (KEPT * self._answered) if self._answered else 0.0
        self._turn = min(max(self._turn, now) + seconds, now + LONGEST)
        return max(1, ceil(self._turn - now))
