"""Promise 13: exports and checkpoints that are cut short are the old or the new ones, and left-overs are swept."""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from itertools import chain
from random import Random

from benchmarks.reliability.durable.subjects import SUBJECTS, naively
from benchmarks.reliability.durable.trials import cut_short, filled_up, killed
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial


def _measured(way: Callable[[], AbstractContextManager[None]], ask: Ask) -> Trial:
    with way():
        kills = [
            killed(SUBJECTS[case % len(SUBJECTS)], Random(ask.seed * 1_000_003 + case))
            for case in range(ask.start, ask.start + ask.amount)
        ]
        full = list(chain.from_iterable(map(filled_up, SUBJECTS)))
        power = list(chain.from_iterable(map(cut_short, SUBJECTS)))
    faults = [fault for fault in (*kills, *full, *power) if fault]
    figures = {"points of a full disk": len(full), "states after a loss of power": len(power)}
    return Trial(ask.amount, len(faults), figures, tuple(faults[:10]))


PROMISE = Promise(
    number=13,
    name="durable-files",
    says="an export or a checkpoint that is cut short is the old or the new one",
    unit="kills",
    full=1_000,
    small=200,
    portion=500,
    bounds={"points of a full disk": Bound("", least=10), "states after a loss of power": Bound("", least=10)},
    keep=lambda ask: _measured(nullcontext, ask),
    control=lambda ask: _measured(naively, ask),
    against="the same files, written where they belong",
)
