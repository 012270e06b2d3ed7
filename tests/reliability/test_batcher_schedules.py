"""Promise 9: the batcher under random schedules, and the clock that they go by."""

import asyncio
from itertools import count

import pytest

from app.serving.batcher import Batcher
from benchmarks.reliability.schedules.clockwork import Clockwork, Hung, Workbench
from benchmarks.reliability.schedules.naive import NaiveBatcher
from benchmarks.reliability.schedules.schedule import Stage

CASES = range(500)


def test_our_batcher_keeps_every_schedule() -> None:
    """Every future is done once, with its own answer, whatever the order of events."""
    with Stage(Batcher) as stage:
        assert [fault for case in CASES for fault in stage.faults(case, 1)] == []


def test_a_schedule_is_known_by_its_number() -> None:
    """The same number finds the same faults, whatever went before it."""
    with Stage(NaiveBatcher) as stage:
        first = [stage.faults(case, 1) for case in range(20)]
        assert first == [stage.faults(case, 1) for case in range(20)]


def test_the_control_is_found_out() -> None:
    """Of a naive batcher nearly every schedule shows a fault."""
    with Stage(NaiveBatcher) as stage:
        assert sum(bool(stage.faults(case, 1)) for case in CASES) > len(CASES) // 2


@pytest.mark.parametrize(
    ("method", "spoilt"),
    [
        ("_take", lambda self: self._singles.take(self._max_batch_size)),  # bulk is never run
        ("close", lambda self: asyncio.sleep(0)),  # what waits is left
    ],
)
def test_a_fault_in_ours_would_be_found(monkeypatch: pytest.MonkeyPatch, method: str, spoilt: object) -> None:
    """A batcher that forgets something is found out within the schedules of this test."""
    monkeypatch.setattr(Batcher, method, spoilt)
    with Stage(Batcher) as stage:
        assert any(stage.faults(case, 1) for case in CASES)


def test_time_passes_only_when_nothing_is_left_to_do() -> None:
    """A sleep of an hour is over at once, and the clock says so; calls in a thread take the time they are given."""
    loop = Clockwork()

    async def sleep_and_call() -> tuple[str, float]:
        await asyncio.sleep(3600)
        return await loop.run_in_executor(Workbench(loop, lambda: 7.0), str.upper, "done"), loop.time()

    try:
        assert loop.run_until_complete(sleep_and_call()) == ("DONE", 3607.0)
    finally:
        loop.close()


@pytest.mark.parametrize("turns", [False, True])
def test_what_never_ends_is_noticed(turns: bool) -> None:
    """Waiting for what cannot come, and turning in a circle, both end in Hung."""
    loop = Clockwork()

    async def for_ever() -> None:
        for _ in count() if turns else ():
            await asyncio.sleep(0)
        await asyncio.Event().wait()

    task = loop.create_task(for_ever())
    try:
        with pytest.raises(Hung):
            loop.run_until_complete(task)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            loop.run_until_complete(task)
    finally:
        loop.close()
