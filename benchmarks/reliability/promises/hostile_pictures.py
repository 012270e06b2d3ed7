"""Promise 6, in process: mutated pictures are read or refused, quickly, and leave nothing behind."""

from benchmarks.reliability.hostile import worker
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial


def _measured(reader: str, ask: Ask) -> Trial:
    found = worker.run(reader, ask.seed, ask.start, ask.amount)
    figures = {"slowest picture": found.slowest * 1e3, "pictures that can be read": 100 * found.read / ask.amount}
    if found.slope is not None:
        figures["memory a 100,000"] = found.slope
    return Trial(ask.amount, found.faults, figures, tuple(found.notes))


PROMISE = Promise(
    number=6,
    name="hostile-pictures",
    says="a mutated picture is read or refused, never a fault of ours",
    unit="pictures",
    full=10_000_000,
    small=20_000,
    portion=1_000_000,
    bounds={
        "slowest picture": Bound("ms of processor time", most=250),
        "pictures that can be read": Bound("%", least=5),
        "memory a 100,000": Bound("MB", most=1),
    },
    keep=lambda ask: _measured("ours", ask),
    control=lambda ask: _measured("naive", ask),
    against="Pillow's defaults, and the errors that its documentation names",
    in_ci=False,
)
