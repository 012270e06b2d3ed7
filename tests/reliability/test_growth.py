"""Promise 15: a service under every kind of caller holds what it held, and a leak is noticed by what it leaks."""

import pytest

from benchmarks.reliability.promise import Ask
from benchmarks.reliability.promises import growth

REQUESTS = 1500
MOST = growth.COUNTED | {"memory": 15}
"""MB of memory, as a young process still fills its caches; the leak is of 22."""


@pytest.fixture(autouse=True)
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(growth, "QUIET_SECONDS", 0.2)


def grown(*leaks: str) -> set[str]:
    trial = growth.measured(leaks, Ask(REQUESTS))
    assert trial.notes == ()
    return {name for name, most in MOST.items() if trial.figures[f"{name} over those at 10 %"] > most}


def test_nothing_is_left() -> None:
    """Good, bad, too large, refused and cancelled requests leave no task, no thread, no socket, no memory."""
    assert grown() == set()


def test_every_leak_is_noticed() -> None:
    """A leak of each of them is told by its name."""
    assert grown("memory", "task", "thread", "socket") == {"memory", "tasks", "threads", "sockets"}
