"""Promise 2: clients that say nothing, or say it slowly, or do not listen, cost the others nothing."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.reliability.memory import growth
from benchmarks.reliability.neighbour import beside, quietly
from benchmarks.reliability.network.slow import connected
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, many_files, plain_uvicorn, service

QUIET = 5.0  # seconds of the neighbour alone
CLOSED = 15.0  # seconds after which the last has to be closed
PATIENCE = 10.0  # more, to see how late


def _measured(server: Callable[[], AbstractContextManager[Running]], ask: Ask) -> Trial:
    with many_files(), server() as running:
        quiet = quietly(running.url, QUIET)
        with (
            growth(running.pid) as grown,
            beside(running.url) as neighbour,
            connected(running.url, ask.amount) as (slow, wait),
        ):
            wait(CLOSED + PATIENCE)
            left, memory = len(slow.opened), grown()
    late = {kind: sum(one > CLOSED for one in lasted) for kind, lasted in slow.lasted.items()}
    notes = [f"{count} {kind} closed after {CLOSED:g} s" for kind, count in late.items() if count]
    notes += [f"{left} never closed"] if left else []
    figures = {
        "p99 over quiet": neighbour.p99 / quiet.p99,
        "the last closed": slow.longest,
        "memory": memory,
        "neighbour refused": float(neighbour.failed),
    }
    return Trial(ask.amount, left + sum(late.values()), figures, tuple(notes))


PROMISE = Promise(
    number=2,
    name="slow-clients",
    says="connections that are silent, send headers or a body a byte a second, or never read their answers, are closed "
    "within 15 s and slow nobody down",
    in_ci=False,
    unit="connections",
    full=5_000,
    small=400,
    portion=5_000,
    bounds={
        "p99 over quiet": Bound("times", most=2, timed=True),
        "the last closed": Bound("s", most=CLOSED),
        "memory": Bound("MB more", most=150),
        "neighbour refused": Bound("answers", most=0),
    },
    keep=lambda ask: _measured(service, ask),
    control=lambda ask: _measured(plain_uvicorn, ask),
    against="our application on plain uvicorn",
)
