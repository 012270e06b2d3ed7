"""Promise 3: who floods the service floods his own connection."""

from collections.abc import Callable
from contextlib import AbstractContextManager

from benchmarks.reliability.memory import growth
from benchmarks.reliability.neighbour import beside
from benchmarks.reliability.network import floods
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import Running, plain_uvicorn, service


def _measured(server: Callable[[], AbstractContextManager[Running]], ask: Ask) -> Trial:
    with server() as running, beside(running.url) as neighbour, growth(running.pid) as grown:
        faults = [
            floods.requests(running.url, ask.amount),
            floods.chunks(running.url, ask.amount),
            floods.header(running.url),
        ]
        memory = grown()
    notes = tuple(fault for fault in faults if fault)
    figures = {"memory": memory, "neighbour": neighbour.longest * 1e3, "neighbour refused": float(neighbour.failed)}
    return Trial(ask.amount, len(notes), figures, notes)


PROMISE = Promise(
    number=3,
    name="floods",
    says="a million requests in one go, a million chunks of a byte and headers of 64 MB, each on one connection, are "
    "answered and slow nobody else down",
    unit="requests and as many chunks",
    full=1_000_000,
    small=20_000,
    portion=250_000,
    bounds={
        "memory": Bound("MB more", most=50),
        "neighbour": Bound("ms for the slowest answer", most=100, timed=True),
        "neighbour refused": Bound("answers", most=0),
    },
    keep=lambda ask: _measured(service, ask),
    control=lambda ask: _measured(plain_uvicorn, ask),
    against="our application on plain uvicorn",
)
