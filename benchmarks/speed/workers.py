"""Several workers against one, on all cores, which they share with the load."""

from benchmarks.comparison import table
from benchmarks.running import service
from benchmarks.speed import digits, wrk
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio

CONNECTIONS = 64
WORKERS = (1, 2)


def measure(options: Options) -> Result:
    """In turn; nothing is pinned."""
    bodies = digits.pngs()
    rounds = []
    for _ in range(options.rounds):
        found = {}
        for workers in WORKERS:
            with service("--workers", str(workers)) as server:
                for seconds in (1, options.seconds):
                    load = wrk.load(
                        server.url + "/predict", bodies, connections=CONNECTIONS, seconds=seconds, anywhere=True
                    )
                found[str(workers)] = load.rate
        rounds.append(found)
    return {"rounds": rounds}


def _column(result: Result, workers: int) -> list[float]:
    return [one[str(workers)] for one in result["rounds"]]


def markdown(result: Result) -> str:
    """By number of workers."""
    rows = [
        [
            str(workers),
            Spread.of(_column(result, workers)).text(",.0f"),
            ratio(_column(result, workers), _column(result, 1)).text(),
        ]
        for workers in WORKERS
    ]
    return table(["workers", f"requests/s at {CONNECTIONS} connections", "over one"], rows)


def goals(result: Result) -> list[Goal]:
    """Two over one."""
    two = ratio(_column(result, 2), _column(result, 1)).text()
    return [Goal("two workers on cores that they share with the load, over one", "1.5", "1.8", two)]


PART = Part("workers", measure, markdown, goals)
