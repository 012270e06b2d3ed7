"""app.serving.pacing on a clock of its own: what is told, and what comes of it where callers obey."""

import heapq
from collections.abc import Callable
from random import Random

import pytest

from app.errors import QueueFull
from app.serving.admission import Admission, Bounds
from app.serving.pacing import KEPT, LONGEST, REMEMBERED, Pacing

CAPACITY = 50  # pictures a second
ROOM = 32  # pictures that are held at most
RETRIES = 2
SECONDS = 90.0


class Clock:
    """Stands where it is put."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


class Model:
    held = 0


def worked(pacing: Pacing, clock: Clock, *, pictures: int, seconds: float) -> None:
    """A worker that has answered so many, one after the other."""
    for _ in range(pictures):
        pacing.holds(0, 1)
        clock.now += seconds / pictures
        pacing.holds(1, 0)


def test_turns_come_at_the_kept_share_of_what_was_answered() -> None:
    """100 a second were, so 40 of those who are refused are asked back in each."""
    clock = Clock()
    pacing = Pacing(clock)
    worked(pacing, clock, pictures=100, seconds=1.0)
    turns = [pacing.turn(1) for _ in range(100)]
    assert KEPT == 0.4
    assert turns == sorted(turns)
    assert turns.count(1) == pytest.approx(40, abs=1)
    assert turns.count(2) == pytest.approx(40, abs=1)
    assert turns.count(3) == pytest.approx(20, abs=2)


def test_many_pictures_take_as_many_turns() -> None:
    """A request of 80 waits for 2 seconds' worth; the next comes after it."""
    clock = Clock()
    pacing = Pacing(clock)
    worked(pacing, clock, pictures=100, seconds=1.0)
    assert (pacing.turn(79), pacing.turn(2)) == (2, 3)


def test_nobody_is_told_more_than_the_longest() -> None:
    """Nor are they once the load has gone: what was promised to those who never came is forgotten by then."""
    clock = Clock()
    pacing = Pacing(clock)
    worked(pacing, clock, pictures=10, seconds=10.0)
    assert max(pacing.turn(1) for _ in range(1000)) == LONGEST
    clock.now += LONGEST
    assert pacing.turn(1) == 3  # at 1 a second, 0.4 of it


def test_a_worker_that_has_answered_nothing_says_a_second() -> None:
    """There is nothing to go by."""
    assert [Pacing().turn(1) for _ in range(3)] == [1, 1, 1]


def test_idle_time_counts_for_nothing_and_old_work_for_little() -> None:
    """An hour without a caller leaves the rate; a worker that has become ten times slower is soon known to be."""
    clock = Clock()
    pacing = Pacing(clock)
    worked(pacing, clock, pictures=1000, seconds=10.0)
    clock.now += 3600
    assert [pacing.turn(1) for _ in range(40)][-1] == 1
    worked(pacing, clock, pictures=600, seconds=6 * REMEMBERED)
    assert [pacing.turn(1) for _ in range(40)][-1] > 5


def closed_loop(told: Callable[[QueueFull], float], *, times: float) -> tuple[float, float]:
    """Of callers who think a second and want so many times the capacity: who succeeds by their second retry,
    and the answers over what could be."""
    clock, rng = Clock(), Random(1)
    door = Admission(Bounds(ROOM, 10**9, 10**9), Pacing(clock))
    end = clock.now + SECONDS
    events = [(clock.now + rng.expovariate(1), caller, 0, None) for caller in range(round(times * CAPACITY))]
    heapq.heapify(events)
    free, answered, gave_up = clock.now, 0, 0
    while events[0][0] < end:
        clock.now, caller, tries, ticket = heapq.heappop(events)
        if ticket is not None:
            ticket.__exit__(None, None, None)
            answered += 1
            heapq.heappush(events, (clock.now + rng.expovariate(1), caller, 0, None))
            continue
        try:
            ticket = door.admit(Model()).__enter__()
            ticket.reserve(pictures=1)
        except QueueFull as full:
            gave_up += tries == RETRIES
            again = (rng.expovariate(1), 0) if tries == RETRIES else (told(full), tries + 1)
            heapq.heappush(events, (clock.now + again[0], caller, again[1], None))
        else:
            free = max(free, clock.now) + 1 / CAPACITY
            heapq.heappush(events, (free, caller, 0, ticket))
    return answered / (answered + gave_up), answered / (CAPACITY * SECONDS)


@pytest.mark.parametrize("times", [1.5, 4, 8])
def test_who_comes_back_when_told_to_finds_room(times: float) -> None:
    """Nine of ten by their second retry, and the worker is never without work."""
    succeeded, goodput = closed_loop(lambda full: full.retry_after, times=times)
    assert succeeded > 0.9
    assert goodput > 0.95


def test_a_second_for_everybody_would_not_do() -> None:
    """What was told before turns were given out: half of them give up."""
    succeeded, _ = closed_loop(lambda _: 1, times=4)
    assert succeeded < 0.7
