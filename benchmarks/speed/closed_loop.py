"""Requests a second and latency of this service, its rivals and the floors, in a closed loop.

Every contestant is started anew in every round, one after the other, alone on the server's core.
"""

import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

import httpx

from benchmarks.comparison import table
from benchmarks.running import Running, metric
from benchmarks.speed import digits, wrk
from benchmarks.speed.contestants import (
    BARE,
    CONTESTANTS,
    MOSEC,
    MOSEC_OWN,
    OURS,
    TUTORIAL,
    Contestant,
    NotStarted,
)
from benchmarks.speed.environments import NotInstalled
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio

CONNECTIONS = (1, 8, 64, 256)
MANY = "64"  # connections of the comparison, as JSON's keys have them
WARM_UP_SECONDS = 1
PASSES = ("lenet5_batch_size_count", "lenet5_batch_size_sum")


def measure(options: Options) -> Result:
    """Rounds over all contestants; one that cannot be had here is kept with the reason."""
    ours = digits.expected(options.environments)
    loads: dict[str, dict[str, list[Result]]] = {}
    missing: dict[str, str] = {}
    for number in range(options.rounds):
        for contestant in CONTESTANTS:
            unwanted = options.only and contestant is not OURS and contestant.module not in options.only
            if unwanted or contestant.name in missing:
                continue
            print(f"round {number + 1} of {options.rounds}: {contestant.name}", file=sys.stderr)
            try:
                found = _round(contestant, ours, options.seconds, options.environments)
            except (NotInstalled, NotStarted, digits.WrongAnswers, httpx.HTTPError) as error:
                missing[contestant.name] = f"{type(error).__name__}: {error}"
                loads.pop(contestant.name, None)
                continue
            kept = loads.setdefault(contestant.name, {})
            for connections, load in found.items():
                kept.setdefault(connections, []).append(load)
    return {"loads": loads, "missing": missing}


def _round(contestant: Contestant, ours: Sequence[int], seconds: int, folder: Path) -> dict[str, Result]:
    """Connections -> what wrk measured, and how many pictures shared a forward pass of ours."""
    found: dict[str, Result] = {}
    bodies = [contestant.pack(png) for png in digits.pngs()]
    with contestant.started(folder) as server:
        digits.check(contestant, server.url, list(ours))
        url = server.url + contestant.path
        for connections in CONNECTIONS:
            before = _passes(contestant, server)
            for duration in (WARM_UP_SECONDS, seconds):
                load = wrk.load(
                    url, bodies, connections=connections, seconds=duration, content_type=contestant.content_type
                )
            passes, pictures = (
                after - earlier for after, earlier in zip(_passes(contestant, server), before, strict=True)
            )
            found[str(connections)] = asdict(load) | {"pictures_a_pass": pictures / passes if passes else None}
    return found


def _passes(contestant: Contestant, server: Running) -> tuple[float, float]:
    """Forward passes so far, and pictures in them."""
    if contestant is not OURS:
        return 0.0, 0.0
    text = httpx.get(server.url + "/metrics").text
    passes, pictures = (metric(text, name) for name in PASSES)
    return passes, pictures


def markdown(result: Result) -> str:
    """A table of all at 64 connections, one of ours over the connections, and who is missing."""
    loads = result["loads"]
    head = ["at 64 connections", "requests/s", "p50 ms", "p99 ms", "errors", "ours over it"]
    rows = [
        [
            name,
            _spread(loads, name, MANY, "rate").text(",.0f"),
            _spread(loads, name, MANY, "p50").text(".2f", 1e3),
            _spread(loads, name, MANY, "p99").text(".2f", 1e3),
            str(sum(load["errors"] for load in loads[name][MANY])),
            _over(loads, name).text() if name != OURS.name else "",
        ]
        for name in loads
    ]
    growth = [
        [
            name,
            *(f"{_spread(loads, name, str(n), 'rate').median:,.0f}" for n in CONNECTIONS),
            *(f"{1e3 * _spread(loads, name, str(n), 'p50').median:.2f}" for n in CONNECTIONS),
            *(f"{1e3 * _spread(loads, name, str(n), 'p99').median:.2f}" for n in CONNECTIONS),
        ]
        for name in loads
    ]
    over = [f"{what}, {n}" for what in ("requests/s", "p50 ms", "p99 ms") for n in CONNECTIONS]
    shared = ", ".join(
        f"{load[0]['pictures_a_pass']:.1f} at {n}" for n, load in loads[OURS.name].items() if load[0]["pictures_a_pass"]
    )
    missing = "".join(f"\n{name} could not be measured here: {why}\n" for name, why in result["missing"].items())
    return (
        f"{table(head, rows)}\nMedians over connections:\n\n{table(['connections', *over], growth)}\n"
        f"Pictures that share a forward pass of ours, by connections: {shared}.\n{missing}"
    )


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    loads = result["loads"]
    own_64, own_256 = (_column(loads, OURS.name, n, "rate") for n in ("64", "256"))
    many = loads[OURS.name]["256"]
    tail = Spread.of([load["p99"] / load["p50"] for load in many])
    return [
        Goal(
            "requests/s at 64 connections over mosec / the tutorial / a bare ASGI constant",
            "1.2 / 5.5 / 0.22",
            "1.75 / 8 / 0.35",
            " / ".join(_maybe(loads, one) for one in (MOSEC, TUTORIAL, BARE)),
        ),
        Goal("the same over mosec with our own work in its worker", "0.85", "1.0", _maybe(loads, MOSEC_OWN)),
        Goal(
            "256 connections: own rate over that at 64 / p99 over p50 / errors",
            "0.85 / 2 / 0",
            "0.95 / 1.6 / 0",
            f"{ratio(own_256, own_64).text()} / {tail.text()} / {sum(load['errors'] for load in many)}",
        ),
        Goal(
            "p50 at 1 connection over the tutorial's",
            "0.6",
            "0.33",
            ratio(_column(loads, OURS.name, "1", "p50"), _column(loads, TUTORIAL.name, "1", "p50")).text()
            if TUTORIAL.name in loads
            else "",
        ),
    ]


def _column(loads: Result, name: str, connections: str, key: str) -> list[float]:
    return [load[key] for load in loads[name][connections]]


def _spread(loads: Result, name: str, connections: str, key: str) -> Spread:
    return Spread.of(_column(loads, name, connections, key))


def _over(loads: Result, name: str) -> Spread:
    """Our rate at 64 connections over theirs."""
    return ratio(_column(loads, OURS.name, MANY, "rate"), _column(loads, name, MANY, "rate"))


def _maybe(loads: Result, contestant: Contestant) -> str:
    return _over(loads, contestant.name).text() if contestant.name in loads else "not measured"


PART = Part("closed-loop", measure, markdown, goals)
