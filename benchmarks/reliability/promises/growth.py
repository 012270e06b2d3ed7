"""Promise 15: it does not grow, whatever callers do for long."""

import asyncio
import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from urllib.parse import urlsplit
from urllib.request import urlopen

from benchmarks.reliability.growth import resident
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.soak import callers, observed

ROOT = Path(__file__).parents[3]
PARTS = 10  # after the first of them what is held is what all is compared with
QUIET_SECONDS = 1.0  # after a part, before it is looked at
COUNTED = {"sockets": 0, "tasks": 0, "threads": 3}
"""What is counted, and by how much it may be more: pools start their few threads when they are first needed."""


def _held(url: str, pid: int) -> dict[str, float]:
    time.sleep(QUIET_SECONDS)
    with urlopen(url + observed.PATH) as answer:
        counts: dict[str, float] = json.load(answer)
    return counts | {"memory": resident(pid)}


def measured(leaks: tuple[str, ...], ask: Ask) -> Trial:
    """So many requests to one process, which may leak."""
    command = [sys.executable, "-m", observed.__name__, *leaks]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        url = process.stderr.readline().strip()
        port = urlsplit(url).port or 0
        statuses: Counter[str] = Counter()
        wrong: list[str] = []
        after: list[dict[str, float]] = []
        try:
            for part in range(PARTS):
                first, last = (ask.start + share * ask.amount // PARTS for share in (part, part + 1))
                answered = asyncio.run(callers.call(port, iter(range(first, last)), ask.seed))
                statuses += answered.statuses
                wrong += answered.wrong
                after.append(_held(url, process.pid))
        finally:
            process.terminate()
            process.stderr.close()
    figures = {f"{name} over those at 10 %": after[-1][name] - after[0][name] for name in COUNTED}
    figures["memory over those at 10 %"] = max(held["memory"] for held in after[1:]) - after[0]["memory"]
    figures |= {
        name: statuses[key] for name, key in (("answers 200", "200"), ("answers 413", "413"), ("answers 429", "429"))
    }
    figures["requests that were cancelled"] = statuses["cancelled"] + statuses["broken off"]
    return Trial(ask.amount, len(wrong), figures, tuple(wrong[:10]))


PROMISE = Promise(
    number=15,
    name="growth",
    says="it does not grow: good, bad, cancelled, too large and refused requests leave nothing",
    unit="requests",
    full=1_000_000,
    small=20_000,
    portion=1_000_000,
    bounds={f"{name} over those at 10 %": Bound("", most=most) for name, most in COUNTED.items()}
    | {"memory over those at 10 %": Bound("MB", most=10)}
    | {f"answers {status}": Bound("", least=1) for status in (200, 413, 429)}
    | {"requests that were cancelled": Bound("", least=1)},
    keep=lambda ask: measured((), ask),
    control=lambda ask: measured(("memory", "task", "thread", "socket"), ask),
    against="the service with a planted leak of memory, tasks, threads and sockets",
    in_ci=False,
)
