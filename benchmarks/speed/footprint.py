"""What the service costs while it does nothing: memory, the start, time on a processor."""

import time

import httpx

from benchmarks.comparison import table
from benchmarks.running import Running, service
from benchmarks.speed import digits, process, wrk
from benchmarks.speed.contestants import BARE, OURS
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread

IDLE_SECONDS = 20
SETTLE_SECONDS = 1


def measure(options: Options) -> Result:
    """In each round a start, an idle time, a load of 64 connections; and the idle time of a bare uvicorn."""
    bodies = digits.pngs()
    rounds = []
    for _ in range(options.rounds):
        start = time.perf_counter()
        with service() as server:
            OURS.ask(httpx.Client(base_url=server.url), bodies[0])
            found = {"start": time.perf_counter() - start, "pss": float(process.pss(server.pid))}
            found["idle"] = idle(server)
            wrk.load(server.url + OURS.path, bodies, connections=64, seconds=options.seconds)
            found["pss_loaded"] = float(process.pss(server.pid))
        with BARE.started(options.environments) as bare:
            found["idle_bare"] = idle(bare)
        rounds.append(found)
    return {"rounds": rounds}


def idle(server: Running) -> float:
    """Share of a core."""
    time.sleep(SETTLE_SECONDS)
    before, start = process.cpu_seconds(server.pid), time.perf_counter()
    time.sleep(IDLE_SECONDS)
    return (process.cpu_seconds(server.pid) - before) / (time.perf_counter() - start)


def _spread(result: Result, key: str) -> Spread:
    return Spread.of([one[key] for one in result["rounds"]])


def markdown(result: Result) -> str:
    """Each figure with its spread."""
    rows = [
        ["memory (PSS) after the first answer, MB", _spread(result, "pss").text(".0f", 1e-6)],
        ["memory (PSS) after a load of 64 connections, MB", _spread(result, "pss_loaded").text(".0f", 1e-6)],
        ["from start to the first answer, s", _spread(result, "start").text()],
        [f"idle over {IDLE_SECONDS} s, % of a core", _spread(result, "idle").text(".2f", 100)],
        ["a bare uvicorn, idle, % of a core", _spread(result, "idle_bare").text(".2f", 100)],
    ]
    return table(["the service at rest", "median (lowest-highest round)"], rows)


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    memory, start = _spread(result, "pss_loaded").text(".0f", 1e-6), _spread(result, "start").text()
    idle_share, bare = (_spread(result, key).text(".2f", 100) for key in ("idle", "idle_bare"))
    return [
        Goal(
            "memory (PSS, after load), MB / from start to the first answer, s",
            "220 / 1.5",
            "120 / 0.9",
            f"{memory} / {start}",
        ),
        Goal("a service that does nothing, % of a core", "1", "0.3", f"{idle_share}; bare uvicorn {bare}"),
    ]


PART = Part("footprint", measure, markdown, goals)
