"""The three ways in which writing may be cut short, each followed by a look at what is there, and a next write."""

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from benchmarks.reliability.durable.crash import laid_down, snapshot, states
from benchmarks.reliability.durable.disk import Disk, watched
from benchmarks.reliability.durable.subjects import Subject

OLD, NEW, NEXT = 1, 2, 3


def killed(subject: Subject, rng: Random) -> str | None:
    """Kill a process at any moment of a write; what went wrong, None when nothing did."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        subject.write(root, OLD)
        process = multiprocessing.get_context("fork").Process(target=_write_for_ever, args=(subject, root))
        process.start()
        time.sleep(rng.uniform(0.001, 0.02))
        os.kill(process.pid or 0, signal.SIGKILL)
        process.join()
        return _looked_at(subject, root, "a kill")


def _write_for_ever(subject: Subject, root: Path) -> None:
    while True:
        for version in (NEW, OLD):
            subject.write(root, version)


def filled_up(subject: Subject) -> Iterator[str | None]:
    """A full disk at every operation that needs room: what went wrong at each."""
    for full_at in range(10_000):
        with TemporaryDirectory() as folder:
            root = Path(folder)
            subject.write(root, OLD)
            disk = Disk(root, full_at=full_at)
            try:
                with watched(disk):
                    subject.write(root, NEW)
            except OSError:
                left = subject.left_over(root)
                fault = _looked_at(subject, root, f"a disk that is full at operation {full_at}")
                yield fault or (f"a full disk is left with {left}" if left else None)
            else:
                return


def cut_short(subject: Subject) -> Iterator[str | None]:
    """A loss of power after every operation: what went wrong in each state that the disk may be in."""
    with TemporaryDirectory() as folder:
        root = Path(folder)
        subject.write(root, OLD)
        before, disk = snapshot(root), Disk(root)
        with watched(disk):
            subject.write(root, NEW)
        for what, state in states(before, disk.operations):
            with TemporaryDirectory() as crashed:
                laid_down(state, root, Path(crashed))
                yield _looked_at(subject, Path(crashed), what)


def _looked_at(subject: Subject, root: Path, after: str) -> str | None:
    """Old or new is there, and the next write works and sweeps."""
    try:
        found = subject.read(root)
    except Exception as error:  # noqa: BLE001 - whatever its reader would meet
        return f"{subject.name} after {after}: {type(error).__name__}"
    if found not in (OLD, NEW):
        return f"{subject.name} after {after}: version {found}"
    subject.write(root, NEXT)
    if subject.read(root) != NEXT:
        return f"{subject.name} after {after}: the next write has no effect"
    return f"{subject.name} after {after}: {left} are left" if (left := subject.left_over(root)) else None
