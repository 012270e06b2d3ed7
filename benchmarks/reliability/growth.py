"""What a process comes to hold as it works on: its resident memory against the cases it has done."""

import ctypes
import gc
from pathlib import Path

import numpy as np

from benchmarks.speed.process import field

EVERY = 1000  # cases from sample to sample
WARM = 0.2  # share of the cases after which caches and pools are full
LEAST = 100_000  # cases; of fewer the allocator's own to and fro is all that is seen


def resident(pid: int | str) -> float:
    """What is resident now, MB."""
    return field(Path(f"/proc/{pid}/status").read_text(), "VmRSS") * 1024 / 1e6


class Slope:
    """The straight line through a process's resident memory.

    Of this process ("self") only what is in use counts: what the allocator holds back after a large picture is first
    given back. Of another one that cannot be asked for.
    """

    def __init__(self, pid: int | str) -> None:
        self._pid = pid
        self._cases: list[int] = []
        self._megabytes: list[float] = []

    def done(self, case: int) -> None:
        """So many cases were done before this one, which is done now."""
        if case % EVERY == 0:
            if self._pid == "self":
                gc.collect()
                ctypes.CDLL(None).malloc_trim(0)
            self._cases.append(case)
            self._megabytes.append(resident(self._pid))

    def per(self, cases: int) -> float | None:
        """MB that so many cases add; None when too few were done."""
        if not self._cases or self._cases[-1] + EVERY < LEAST:
            return None
        warm = int(len(self._cases) * WARM)
        line = np.polyfit(self._cases[warm:], self._megabytes[warm:], 1)
        return float(line[0]) * cases
