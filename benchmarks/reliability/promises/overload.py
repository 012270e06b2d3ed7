"""Promise 8: what is too much is refused at once, and the rest is answered as quickly as ever."""

import asyncio
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from urllib.error import HTTPError
from urllib.parse import urlsplit
from urllib.request import urlopen

import numpy as np

from benchmarks.reliability.network import callers
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, rival, service
from benchmarks.running import metric

QUEUE = 32  # pictures: some tenths of a second
TIMES = 4  # the capacity
LEAVING = 0.2  # of the callers
MEASURED = 5.0  # seconds in which the capacity is found
LOOK = 0.2  # seconds between looks at the queue
SETTLING = 15.0  # seconds until those who come back are as many as they will be
IDLE = 1.0  # seconds after which nothing is left to do
WRONG = 5  # answers that are told
PER_SECOND = os.sysconf("SC_CLK_TCK")


def _processor_seconds(pid: int) -> float:
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / PER_SECOND


@contextmanager
def _deepest(url: str) -> Iterator[list[float]]:
    """Depths of the queue while the block runs; none where no metric tells them."""
    depths, over = [0.0], threading.Event()

    def look() -> None:
        while not over.wait(LOOK):
            try:
                with urlopen(url + "/metrics") as answer:
                    depths.append(metric(answer.read().decode(), "lenet5_queue_depth"))
            except HTTPError:
                return

    thread = threading.Thread(target=look)
    thread.start()
    yield depths
    over.set()
    thread.join()


def _measured(server: Callable[[], AbstractContextManager[Running]], ask: Ask) -> Trial:
    bodies = callers.pictures()
    with server() as running:
        port = urlsplit(running.url).port or 0
        capacity = asyncio.run(callers.capacity(port, bodies, MEASURED))
        with _deepest(running.url) as depths:
            load = callers.by_the_clock(port, bodies, rate=TIMES * capacity, seconds=ask.amount, leaving=LEAVING)
            seen = asyncio.run(load)
        time.sleep(IDLE)
        before = _processor_seconds(running.pid)
        time.sleep(IDLE)
        busy = (_processor_seconds(running.pid) - before) / IDLE
        obedient = asyncio.run(
            callers.obedient(port, bodies, rate=TIMES * capacity, settling=SETTLING, seconds=ask.amount)
        )
    refused = [one.seconds for one in seen.answers if one.status == 429]
    figures = {
        "goodput over capacity": seen.count(200) / ask.amount / capacity,
        "capacity": capacity,
        "refused within, 99 of 100": 1e3 * float(np.quantile(refused, 0.99)) if refused else float("nan"),
        "deepest queue": max(depths),
        "busy a second after": 100 * busy,
        "by their second retry": 100 * obedient,
    }
    others = [f"{one.status or 'no answer'}" for one in seen.answers if one.status not in (200, 429)]
    notes = (*seen.wrong[:WRONG], *sorted(set(others)))
    return Trial(ask.amount, len(seen.wrong) + len(others), figures, notes)


PROMISE = Promise(
    number=8,
    name="overload",
    says="four times what it can answer, a fifth of it given up by its callers: what is too much is refused at once, "
    "the rest is answered as before, each with its own digit; who comes back when Retry-After says so finds room",
    unit="seconds",
    full=60,
    small=5,
    portion=20,
    bounds={
        "goodput over capacity": Bound("", least=0.9, timed=True),
        "capacity": Bound("pictures/s"),
        "refused within, 99 of 100": Bound("ms", most=20, timed=True),
        "deepest queue": Bound("pictures", most=QUEUE),
        "busy a second after": Bound("% of a core", most=10, timed=True),
        "by their second retry": Bound("% of those who obey Retry-After", least=90, timed=True),
    },
    keep=lambda ask: _measured(lambda: service(f"--queue-pictures={QUEUE}"), ask),
    control=lambda ask: _measured(lambda: rival("textbook"), ask),
    against="FastAPI on plain uvicorn with a batcher that takes all that comes",
    in_ci=False,
)
