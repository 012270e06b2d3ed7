"""What Ray costs beside our own server: the same application under both, on the same core."""

import sys
from dataclasses import asdict

from benchmarks.comparison import table
from benchmarks.speed import digits, wrk
from benchmarks.speed.bulk import BINARY, PATH, request
from benchmarks.speed.contestants import OURS, Contestant
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio
from training.datasets import load

ENVIRONMENT = "ours_on_ray"
CONTESTANTS = (
    OURS,
    Contestant("Ray Serve, its proxy", "ours_on_ray", ENVIRONMENT),
    Contestant("Ray Serve, its HAProxy", "ours_behind_haproxy", ENVIRONMENT),
)
LOADS = {"one": 1, "many": 64}  # connections with single pictures
BULK = 10_000
"""Pictures in a request of the Open Inference Protocol."""


def measure(options: Options) -> Result:
    """In each round one after the other: single pictures, then 10,000 in a request."""
    body, headers = request(load("mnist-test").pictures[:BULK])
    expected = digits.expected(options.environments)
    rounds = []
    for number in range(options.rounds):
        found: Result = {}
        for contestant in CONTESTANTS:
            print(f"round {number + 1} of {options.rounds}: {contestant.name}", file=sys.stderr)
            with contestant.started(options.environments) as server:
                digits.check(contestant, server.url, expected)
                url = server.url + contestant.path
                wrk.load(url, digits.pngs(), connections=LOADS["many"], seconds=1)
                loads = {
                    name: asdict(wrk.load(url, digits.pngs(), connections=connections, seconds=options.seconds))
                    for name, connections in LOADS.items()
                }
                bulk = wrk.load(
                    server.url + PATH,
                    [body],
                    connections=2,
                    seconds=options.seconds,
                    content_type=BINARY,
                    headers=headers,
                )
                loads["bulk"] = asdict(bulk)
                found[contestant.name] = loads
        rounds.append(found)
    return {"rounds": rounds}


def _column(result: Result, name: str, load: str, key: str) -> list[float]:
    return [one[name][load][key] for one in result["rounds"]]


def _rates(result: Result, name: str, load: str) -> str:
    """Pictures a second, and how many times as many our own server answers."""
    rates = _column(result, name, load, "rate")
    pictures = Spread.of(rates).text(",.0f", BULK if load == "bulk" else 1)
    if name == OURS.name:
        return pictures
    return f"{pictures}; ours {ratio(_column(result, OURS.name, load, 'rate'), rates).text('.1f')} times as many"


def markdown(result: Result) -> str:
    """One row for each."""
    rows = [
        [
            contestant.name,
            Spread.of(_column(result, contestant.name, "one", "p50")).text(".2f", 1e3),
            _rates(result, contestant.name, "many"),
            Spread.of(_column(result, contestant.name, "many", "p99")).text(".1f", 1e3),
            _rates(result, contestant.name, "bulk"),
            str(round(sum(sum(_column(result, contestant.name, load, "errors")) for load in (*LOADS, "bulk")))),
        ]
        for contestant in CONTESTANTS
    ]
    head = [
        "the same application under",
        "p50 ms at 1 connection",
        "requests/s at 64 connections",
        "p99 ms there",
        "pictures/s in requests of 10,000",
        "errors",
    ]
    return table(head, rows)


def goals(_: Result) -> list[Goal]:
    """None: what Ray costs is Ray's."""
    return []


PART = Part("on-ray", measure, markdown, goals)
