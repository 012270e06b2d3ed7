"""Promise 10: a worker that is no use any more is replaced, and no client fails twice."""

import math

from benchmarks.reliability.promise import Ask
from benchmarks.reliability.promises.workers_die import KINDS, PROMISE


def test_a_blocked_worker_is_replaced() -> None:
    """How soon is a time, which the promise measures."""
    trial = PROMISE.keep(Ask(1, start=KINDS.index("blocked")))
    assert (trial.failures, trial.notes) == (0, ())
    assert not math.isnan(trial.figures["blocked, replaced"])
    assert trial.figures["answered meanwhile"] > 0
