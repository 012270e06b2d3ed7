"""Whole fields over HTTP, on one core."""

from benchmarks.comparison import table
from benchmarks.fields import cases
from benchmarks.forms import encode, gray
from benchmarks.speed import wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread

COUNT = 100  # different fields
CONNECTIONS = (1, 8)
PATH = "/read?kind=postal_code&country=US"


def measure(options: Options) -> Result:
    """Made ZIP codes of MNIST's test digits."""
    bodies = [encode(gray(case.picture)) for case in cases.made("clean ZIP", COUNT, options.data_dir, test=True)]
    rounds = []
    for _ in range(options.rounds):
        with OURS.started(options.environments) as server:
            found = {}
            for connections in CONNECTIONS:
                load = wrk.load(server.url + PATH, bodies, connections=connections, seconds=options.seconds)
                found[str(connections)] = {"rate": load.rate, "p50": load.p50, "errors": load.errors}
            rounds.append(found)
    return {"rounds": rounds}


def _spread(result: Result, connections: int, key: str) -> Spread:
    return Spread.of([one[str(connections)][key] for one in result["rounds"]])


def markdown(result: Result) -> str:
    """By connections."""
    rows = [
        [
            str(n),
            _spread(result, n, "rate").text(".1f"),
            _spread(result, n, "p50").text(".1f", 1e3),
            f"{_spread(result, n, 'errors').high:.0f}",
        ]
        for n in CONNECTIONS
    ]
    return table(["connections", "fields/s", "p50 ms", "errors"], rows)


def goals(result: Result) -> list[Goal]:
    """Strings a second."""
    best = max((_spread(result, n, "rate") for n in CONNECTIONS), key=lambda spread: spread.median)
    return [Goal("fields: strings/s on one core, end to end", "40", "150", best.text(".0f"))]


PART = Part("fields", measure, markdown, goals)
