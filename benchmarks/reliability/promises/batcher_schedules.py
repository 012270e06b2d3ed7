"""Promise 9: whatever the order of events, every caller is answered exactly once, with its own answer."""

from collections.abc import Callable

from app.serving.batcher import Batcher
from benchmarks.reliability.promise import Ask, Promise, Trial
from benchmarks.reliability.schedules.naive import NaiveBatcher
from benchmarks.reliability.schedules.schedule import Stage, Subject

NOTES = 10


def _measured(make: Callable[..., Subject], ask: Ask) -> Trial:
    failures, notes = 0, list[str]()
    with Stage(make) as stage:
        for case in range(ask.start, ask.start + ask.amount):
            if found := stage.faults(case, ask.seed):
                failures += 1
                notes += [f"schedule {case}: {found[0]}"][: NOTES - len(notes)]
    return Trial(ask.amount, failures, {}, tuple(notes))


PROMISE = Promise(
    number=9,
    name="batcher-schedules",
    says="the batcher answers every caller exactly once, with its own answer",
    unit="schedules",
    full=1_000_000,
    small=100_000,
    portion=50_000,
    bounds={},
    keep=lambda ask: _measured(Batcher, ask),
    control=lambda ask: _measured(NaiveBatcher, ask),
    against="a batcher that sets every result and survives no failure",
)
