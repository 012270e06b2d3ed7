"""docs/scale.md: its tables and its picture, from the result that is kept beside it."""

import json
from pathlib import Path
from statistics import median

import numpy as np

from benchmarks.before_lenet.sheet import ACCENT, INK, SMALL, plain, png, sheet
from benchmarks.comparison import filled, table
from benchmarks.scale import plan, queue
from benchmarks.scale.measured import MOST, SHARES
from benchmarks.speed.part import Result
from benchmarks.speed.rounds import Spread

RESULT = Path(__file__).parents[2] / "docs" / "scale" / "one-process.json"
PAGE = Path(__file__).parents[2] / "docs" / "scale.md"
FIGURE = PAGE.with_name("figures") / "scale.png"
LINE = 60  # rates of the predicted line


def write() -> None:
    """Fill the page, draw the picture."""
    result = json.loads(RESULT.read_text())
    PAGE.write_text(filled_with(result, PAGE.read_text()))
    FIGURE.write_bytes(_figure(result))


def filled_with(result: Result, text: str) -> str:
    """The page's text with the tables of a result."""
    for name, content in (("curve", _curve), ("prediction", _prediction), ("plan", _plan)):
        text = filled(text, name, content(result))
    return text


def predicted(result: Result, number: int, place: int) -> tuple[float, float]:
    """p50 and p99, seconds, by the simulation with that round's curve and exactly the arrivals that were sent."""
    opened = result["rounds"][number]["open"][place]
    arrivals = queue.poisson(opened["rate"], round(opened["rate"] * result["asked"]["seconds"]), opened["seed"])
    waited = queue.latencies(arrivals, plan.service(result, number), MOST) + plan.wire(result, number)
    p50, p99 = np.percentile(waited, (50, 99)).tolist()
    return p50, p99


def _curve(result: Result) -> str:
    rows = [
        [
            f"{median(one['batch'] for one in at):.1f}",
            Spread.of([one["seconds"] for one in at]).text(".2f", 1e3),
            Spread.of([one["seconds"] / one["batch"] for one in at]).text(".0f", 1e6),
        ]
        for at in zip(*(one["curve"] for one in result["rounds"]), strict=True)
    ]
    way = Spread.of([plan.wire(result, number) for number in range(len(result["rounds"]))])
    return (
        f"{table(['requests that share a batch', 'ms of the core', 'us for each'], rows)}\n"
        f"On its way, and in its client, a lone request is {way.text('.2f', 1e3)} ms.\n\n{_conditions(result)}\n"
    )


def _prediction(result: Result) -> str:
    rounds = range(len(result["rounds"]))
    rows = []
    for place, share in enumerate(SHARES):
        opened = [one["open"][place] for one in result["rounds"]]
        simulated = [predicted(result, number, place) for number in rounds]
        cells = [f"{share:.0%}", f"{median(one['rate'] for one in opened):,.0f}"]
        for which, name in enumerate(("p50", "p99")):
            cells += [Spread.of([one[name] for one in opened]).text(".2f", 1e3)]
            cells += [Spread.of([one[which] for one in simulated]).text(".2f", 1e3)]
        rows.append([*cells, str(sum(one["errors"] for one in opened))])
    head = ["of its capacity", "requests/s", "p50 ms", "predicted", "p99 ms", "predicted", "errors"]
    return f"{table(head, rows)}\n![Latency against load](figures/{FIGURE.name})\n"


def _plan(result: Result) -> str:
    found = plan.forms(result)
    planned = [[form.name, f"{form.rate:,.0f}", f"{form.sent:,.0f}", f"{form.answered:,.0f}"] for form in found]
    needs = [
        [
            form.name,
            f"{rate:,}",
            f"{need.processes:,}",
            f"{need.machines:,}",
            f"{need.memory:,.1f}",
            f"{need.gbit_in:.2f}",
            f"{need.gbit_out:.2f}",
            f"{need.packets / 1e6:.3f}",
        ]
        for form in found
        for rate in plan.RATES
        for need in [plan.needed(form, rate)]
    ]
    one = ["one process", "pictures/s planned", "bytes in, a picture", "bytes out"]
    many = ["form", "pictures/s", "processes", "machines", "memory, GB", "Gbit/s in", "Gbit/s out", "M packets/s"]
    return f"{table(one, planned)}\n{table(many, needs)}"


def _figure(result: Result) -> bytes:
    """Measured points of every round on the predicted lines of the median curve."""
    service = plan.service(result)
    way = median(plan.wire(result, number) for number in range(len(result["rounds"])))
    capacity = median(one["curve"][-1]["rate"] for one in result["rounds"])
    rates = np.linspace(0.05, 0.98, LINE) * capacity
    simulated = [
        1e3 * (np.percentile(queue.latencies(queue.poisson(rate, 30_000, 0), service, MOST), (50, 99)) + way)
        for rate in rates
    ]
    figure = sheet(2.8)
    axes = figure.subplots()
    for which, (name, colour) in enumerate((("p50", INK), ("p99", ACCENT))):
        axes.plot(rates, [one[which] for one in simulated], color=colour, label=f"{name}, predicted")
        points = [(at["rate"], 1e3 * at[name]) for one in result["rounds"] for at in one["open"]]
        loads, waits = zip(*points, strict=True)
        axes.scatter(loads, waits, s=14, color=colour, label=f"{name}, measured", zorder=3)
    axes.set_yscale("log")
    axes.set_xlabel("Poisson callers a second, one process on one core")
    axes.set_ylabel("ms")
    axes.legend(fontsize=SMALL, frameon=False)
    plain(axes)
    return png(figure)


def _conditions(result: Result) -> str:
    asked = result["asked"]
    return f"{asked['rounds']} rounds, loads of {asked['seconds']} s; {result['machine']['hardware']}."
