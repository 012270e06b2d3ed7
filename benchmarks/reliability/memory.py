"""How much more memory a process needed than it had."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.speed.process import peak

MEGA = 1e6


@contextmanager
def growth(pid: int) -> Iterator[Callable[[], float]]:
    """What it is asked for is the most that was resident at any moment of the block so far over the start, in MB.

    Linux keeps the peak; nothing is missed between samples. It is set back at the start, so that blocks do not nest.
    """
    Path(f"/proc/{pid}/clear_refs").write_text("5")
    before = peak(pid)
    yield lambda: (peak(pid) - before) / MEGA
