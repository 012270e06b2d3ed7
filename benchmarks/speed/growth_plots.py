"""The curves of `benchmarks.speed.growth`, drawn."""

from collections.abc import Callable
from typing import Any

from matplotlib.axes import Axes

from benchmarks.before_lenet.sheet import ACCENT, GREEN, INK, SMALL, plain, png, sheet
from benchmarks.speed.part import Result

FIGURE = "performance-growth.png"

Look = tuple[str, str, Callable[[Any], float]]  # label, colour, value of a point


def figures(result: Result) -> dict[str, bytes]:
    """All on one sheet."""
    figure = sheet(9)
    axes = figure.subplots(4, 2).flat
    _curve(next(axes), result["connections"], "connections", "requests/s", [("", INK, lambda p: p["rate"])])
    _curve(
        next(axes),
        result["connections"],
        "connections",
        "ms",
        [("p50", INK, lambda p: 1e3 * p["p50"]), ("p99", ACCENT, lambda p: 1e3 * p["p99"])],
        logarithmic=True,
    )
    _curve(
        next(axes), result["batches"], "pictures a batch", "us a pass", [("", INK, lambda s: 1e6 * s)], logarithmic=True
    )
    _curve(
        next(axes),
        result["sides"],
        "side of a picture, pixels",
        "ms to the network's input",
        [("PNG", INK, lambda p: 1e3 * p["png"]), ("JPEG photo", ACCENT, lambda p: 1e3 * p["jpeg"])],
        logarithmic=True,
    )
    places = result["fields"]
    looks: list[Look] = [
        ("all", INK, lambda p: 1e3 * p["seconds"]),
        ("the network", GREEN, lambda p: 1e3 * p["network"]),
    ]
    shown = ", ".join(f"{one['candidates']}" for one in places.values())
    _curve(next(axes), places, f"digits of a field (candidates: {shown})", "ms", looks, powers=False)
    memory: list[Look] = [("", INK, lambda p: 1e-6 * p["bytes"])]
    _curve(next(axes), result["queues"], "queue limit, photos", "MB at most", memory)
    _curve(next(axes), result["workers"], "workers", "requests/s", [("", INK, lambda p: p["rate"])], powers=False)
    _curve(next(axes), result["models"], "models served", "MB", memory, powers=False)
    return {FIGURE: png(figure)}


def _curve(
    axes: Axes,
    points: Result,
    x_label: str,
    y_label: str,
    looks: list[Look],
    *,
    powers: bool = True,
    logarithmic: bool = False,
) -> None:
    """The points over their keys, from zero unless both axes are logarithmic."""
    places, highest = [float(key) for key in points], 0.0
    for label, colour, value in looks:
        values = [value(point) for point in points.values()]
        highest = max(highest, *values)
        axes.plot(places, values, color=colour, marker="o", markersize=3, label=label)
    if powers:
        axes.set_xscale("log", base=2)
        axes.xaxis.minorticks_off()
    axes.set_xticks(places, [f"{place:g}" for place in places], rotation=45 if powers else 0)
    if logarithmic:
        axes.set_yscale("log")
    else:
        axes.set_ylim(0, 1.08 * highest)
    axes.set_xlabel(x_label)
    axes.set_ylabel(y_label)
    if any(label for label, _, _ in looks):
        axes.legend(fontsize=SMALL, frameon=False)
    plain(axes)
