"""A service of our own to measure: `lenet5 serve` on a free port, ended with the block."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Running:
    """A server that answers."""

    url: str
    pid: int  # of its first process


@contextmanager
def service(*options: str, prefix: tuple[str, ...] = (), log: Path | None = None) -> Iterator[Running]:
    """A running service under those options, its command behind `prefix` (as `taskset -c 0`).

    `log` gets all that it says, once it has ended.

    Raises RuntimeError when it does not start.
    """
    command = [*prefix, sys.executable, "-m", "app", "serve", "--port", "0", *options]
    with (
        (log or Path(os.devnull)).open("w") as said,
        subprocess.Popen(command, stdout=said, stderr=subprocess.PIPE, text=True) as process,
    ):
        assert process.stderr is not None
        first = process.stderr.readline()
        try:
            found = re.search(r"http://\S+[^\s:]", first)
            if found is None:
                raise RuntimeError(first.strip())
            yield Running(found[0], process.pid)
        finally:
            process.terminate()
            if log is not None:
                rest = process.stderr.read()
                process.wait()
                said.write(first + rest)


def metric(text: str, name: str, **labels: str) -> float:
    """The sum of a metric's samples that carry these labels, in Prometheus' text format."""
    total = 0.0
    for line in text.splitlines():
        sample, _, value = line.rpartition(" ")
        if sample.partition("{")[0] == name and all(f'{key}="{what}"' in sample for key, what in labels.items()):
            total += float(value)
    return total
