"""docs/walk.md: the last walk, step by step."""

from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.comparison import table
from benchmarks.speed.machine import describe
from benchmarks.walk.journey import Step

ROOT = Path(__file__).parents[2]
HEAD = """# The stranger's walk

What the [README](../README.md)'s first screen says, done by somebody who has nothing but the README: clone, one command
to a ready service, draw, `curl`, what is no digit, `/docs` without a network, Python, the terminal, Ctrl-C. A program
goes it, takes its commands from the README itself, and fails when a step is not as it is said there:

```sh
python -m benchmarks.walk --write
```

This page is what it printed the last time: commit {commit}, {date}, {hardware}. A digit's answer is shortened; `~` is
the folder that was cloned into.
"""


def page(steps: Sequence[Step], commit: str) -> str:
    """The whole page."""
    head = HEAD.format(commit=commit, date=f"{datetime.now(UTC):%Y-%m-%d}", hardware=describe()["hardware"])
    rows = [[step.title, "not gone: " + step.skipped if step.skipped else f"{step.seconds:.1f}"] for step in steps]
    total = sum(step.seconds for step in steps)
    parts = [f"## {step.title}\n\n```text\n" + "\n".join(step.seen) + "\n```\n" for step in steps if not step.skipped]
    times = table(["step", "seconds"], [*rows, ["all of it", f"{total:.1f}"]])
    return "\n".join([head, times, "", *parts])
