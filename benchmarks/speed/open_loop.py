"""Latency of this service against the load that is offered, in an open loop."""

from dataclasses import asdict

from benchmarks.before_lenet.sheet import ACCENT, INK, SMALL, plain, png, sheet
from benchmarks.comparison import table
from benchmarks.speed import digits, paced, wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio

SHARES = (0.1, 0.3, 0.5, 0.6, 0.7, 0.8, 0.9)  # of the capacity
OF_THE_GOAL = "0.7"
FIGURE = "performance-load.png"


def measure(options: Options) -> Result:
    """In each round the capacity at 64 connections, the quiet latency at one, and then every share of the capacity."""
    bodies = digits.pngs()
    rounds = []
    for _ in range(options.rounds):
        with OURS.started(options.environments) as server:
            url = server.url + OURS.path
            wrk.load(url, bodies, connections=64, seconds=1)
            capacity = wrk.load(url, bodies, connections=64, seconds=options.seconds).rate
            quiet = wrk.load(url, bodies, connections=1, seconds=options.seconds).p50
            offered = {
                str(share): asdict(paced.load(url, bodies, rate=share * capacity, seconds=options.seconds))
                for share in SHARES
            }
            rounds.append({"capacity": capacity, "quiet_p50": quiet, "offered": offered})
    return {"rounds": rounds}


def _column(result: Result, share: str, key: str) -> list[float]:
    return [one["offered"][share][key] for one in result["rounds"]]


def markdown(result: Result) -> str:
    """Latency by offered load."""
    rows = [
        [
            f"{float(share):.0%}",
            Spread.of(_column(result, share, "rate")).text(",.0f"),
            Spread.of(_column(result, share, "p50")).text(".2f", 1e3),
            Spread.of(_column(result, share, "p99")).text(".2f", 1e3),
            str(round(sum(_column(result, share, "errors")))),
            f"{1e6 * max(_column(result, share, 'late')):.0f}",
        ]
        for share in map(str, SHARES)
    ]
    head = ["of its capacity", "requests/s", "p50 ms", "p99 ms", "errors", "sent late, p99 us"]
    quiet = Spread.of([one["quiet_p50"] for one in result["rounds"]])
    return (
        f"{table(head, rows)}\nQuiet p50, closed loop at 1 connection: {quiet.text('.2f', 1e3)} ms.\n\n"
        f"![Latency against offered load](figures/{FIGURE})\n"
    )


def goals(result: Result) -> list[Goal]:
    """The tail at 70 %."""
    tail = ratio(_column(result, OF_THE_GOAL, "p99"), [one["quiet_p50"] for one in result["rounds"]])
    return [Goal("p99 at 70 % of its own capacity, open loop, over its quiet p50", "8", "4", tail.text())]


def figures(result: Result) -> dict[str, bytes]:
    """p50 and p99 over the offered load, with every round."""
    figure = sheet(2.6)
    axes = figure.subplots()
    for key, colour in (("p50", INK), ("p99", ACCENT)):
        points = [Spread.of(_column(result, str(share), key)) for share in SHARES]
        axes.plot([100 * s for s in SHARES], [1e3 * p.median for p in points], color=colour, marker="o", label=key)
        axes.fill_between(
            [100 * s for s in SHARES],
            [1e3 * p.low for p in points],
            [1e3 * p.high for p in points],
            color=colour,
            alpha=0.15,
            linewidth=0,
        )
    axes.set_yscale("log")
    axes.set_xlabel("offered load, % of the capacity")
    axes.set_ylabel("ms from when it was due")
    axes.legend(fontsize=SMALL, frameon=False)
    plain(axes)
    return {FIGURE: png(figure)}


PART = Part("open-loop", measure, markdown, goals, figures)
