"""Reads mutated pictures one after the other, in a process of its own, since what they may do to it is to end it.

    python -m benchmarks.reliability.hostile.worker READER SEED START AMOUNT PROGRESS

prints a `Found` as JSON. The file PROGRESS holds the number of the picture it is at, as 8 bytes: when the process is
gone, it says which one did it.
"""

import json
import mmap
import struct
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

import cv2

from benchmarks.reliability.growth import Slope
from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.reading import READERS
from benchmarks.reliability.hostile.seeds import seeds

ROOT = Path(__file__).parents[3]
STUCK_SECONDS = 3600.0
NOTES = 10


@dataclass
class Found:
    """What so many pictures showed."""

    read: int = 0  # pictures that could be read: mutations that nothing survives would show little
    faults: int = 0  # exceptions that would be answered 500, and ends of the process
    slowest: float = 0.0  # seconds of processor time
    slope: float | None = None  # MB of resident memory that 100,000 pictures add; None where there are too few
    notes: list[str] = field(default_factory=list)


def run(reader: str, seed: int, start: int, amount: int) -> Found:
    """Read them in a process, and in another from the next on when one ends it."""
    whole, at, end = Found(), start, start + amount
    with TemporaryDirectory() as folder:
        progress = Path(folder) / "progress"
        while at < end:
            progress.write_bytes(struct.pack("<q", at))
            command = [sys.executable, "-m", __spec__.name, reader, str(seed), str(at), str(end - at), str(progress)]
            done = subprocess.run(
                command, cwd=ROOT, check=False, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=STUCK_SECONDS
            )  # libtiff and libpng tell standard error about each
            if done.returncode == 0:
                found, at = Found(**json.loads(done.stdout)), end
            else:
                (at,) = struct.unpack("<q", progress.read_bytes())
                found = Found(faults=1, notes=[f"picture {at} ended the process with {done.returncode}"])
                at += 1
            whole = Found(
                whole.read + found.read,
                whole.faults + found.faults,
                max(whole.slowest, found.slowest),
                found.slope,
                (whole.notes + found.notes)[:NOTES],
            )
    return whole


def _read_all(reader: str, seed: int, start: int, amount: int, progress: Path) -> Found:
    cv2.setNumThreads(1)  # as the service has it
    read, pictures, found, slope = READERS[reader], seeds(), Found(), Slope("self")
    with progress.open("r+b") as file, mmap.mmap(file.fileno(), 8) as at:
        for case in range(start, start + amount):
            struct.pack_into("<q", at, 0, case)
            data = mutated(case, seed, pictures)
            begun = time.thread_time()
            try:
                found.read += read(data, case)
            except Exception as error:  # noqa: BLE001 - whatever it is, it would be answered 500
                found.faults += 1
                if len(found.notes) < NOTES:
                    found.notes.append(f"picture {case}: {type(error).__name__}")
            found.slowest = max(found.slowest, time.thread_time() - begun)
            slope.done(case - start)
    found.slope = slope.per(100_000)
    return found


if __name__ == "__main__":
    with suppress(BrokenPipeError):
        seed, start, amount = map(int, sys.argv[2:5])
        found = _read_all(sys.argv[1], seed, start, amount, Path(sys.argv[5]))
        sys.stdout.write(json.dumps(asdict(found)))
