"""The figures of the comparisons, drawn."""

from typing import Any

import numpy as np

from benchmarks.before_lenet.sheet import ACCENT, GRAY, GREEN, INK, PALE, SMALL, plain, png, sheet
from benchmarks.classical.report import SETS

Result = dict[str, Any]


def classical(result: Result) -> bytes:
    """Error of each method on each set; a logarithm, since they lie far apart."""
    figure = sheet(3.4)
    axes = figure.subplots()
    rows = result["rows"][::-1]
    looks = {"mnist-test": (INK, "o"), "usps": (GREEN, "s"), "optdigits": (ACCENT, "^")}
    for name in (name for name in SETS if name in result["counts"]):
        colour, marker = looks[name]
        errors = [row["error_percent"][name] for row in rows]
        axes.plot(errors, range(len(rows)), linestyle="", color=colour, marker=marker, label=name)
    axes.set_yticks(range(len(rows)), [f"{row['name']}" for row in rows])
    axes.set_xscale("log")
    least = min(min(row["error_percent"].values()) for row in rows)
    ticks = [tick for tick in (0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 50) if tick > least / 2]
    axes.set_xticks(ticks, [f"{tick:g} %" for tick in ticks])
    axes.xaxis.minorticks_off()
    axes.set_xlabel("error")
    axes.legend(fontsize=SMALL, frameon=False, ncols=3, loc="lower center", bbox_to_anchor=(0.5, 1))
    plain(axes)
    return png(figure)


def ablations(result: Result) -> bytes:
    """Each seed of each variant."""
    figure = sheet(3.4)
    axes = figure.subplots()
    rows = result["rows"][::-1]
    labels = [row["name"] if row["part"] == "none" else f"{row['part']}: {row['name']}" for row in rows]
    for place, row in enumerate(rows):
        errors = row["error_percent"]
        colour = ACCENT if row["part"] == "none" else INK
        axes.plot(errors, [place] * len(errors), linestyle="", marker="o", color=colour, alpha=0.5, markersize=5)
        axes.plot([sum(errors) / len(errors)], [place], linestyle="", marker="|", color=colour, markersize=14)
    baseline = result["rows"][0]["error_percent"]
    axes.axvline(sum(baseline) / len(baseline), color=ACCENT, linewidth=0.8, linestyle=":")
    axes.set_yticks(range(len(rows)), labels)
    axes.set_xscale("log")
    ticks = (1.5, 2, 3, 4, 5)
    axes.set_xticks(ticks, [f"{tick:g} %" for tick in ticks])
    axes.xaxis.minorticks_off()
    axes.set_xlabel(f"error on held-out writers after {result['epochs']} epochs: seeds, and their mean")
    plain(axes)
    return png(figure)


def shifts(result: Result) -> bytes:
    """Error against the shift, of both networks, taught both ways."""
    figure = sheet(3.2)
    axes = figure.subplots()
    for row in result["rows"]:
        seeds = np.array(row["error_percent"])
        lenet, centred = row["network"] == "LeNet-5", row["taught_on"] == "centred"
        colour, style = INK if lenet else ACCENT, "-" if centred else "--"
        label = f"{row['network']}, taught on {row['taught_on']} digits"
        axes.plot(result["shifts"], seeds.mean(axis=0), style, color=colour, marker="o", markersize=4, label=label)
    axes.set_xlabel("shift in pixels, centring switched off (mean of four directions)")
    axes.set_ylabel("error on held-out writers")
    axes.yaxis.set_major_formatter("{x:g} %")
    axes.set_ylim(bottom=0)
    axes.legend(fontsize=SMALL, frameon=False)
    plain(axes)
    return png(figure)


def gradients(result: Result) -> bytes:
    """The norm at each layer, over the first epoch, one panel an activation."""
    figure = sheet(2.9)
    panels = figure.subplots(1, len(result["rows"]), sharey=True)
    colours = {"c1": ACCENT, "c3": "#e59866", "c5": GRAY, "f6": PALE, "output": INK}
    for axes, row in zip(panels, result["rows"], strict=True):
        for layer, norms in row["over_the_epoch"].items():
            steps = result["window"] * (np.arange(len(norms)) + 0.5)
            axes.plot(steps, norms, color=colours[layer], linewidth=1.2, label=layer.upper())
            axes.plot([0], [row["at_first"][layer]], "o", color=colours[layer], markersize=4, clip_on=False)
        axes.set_yscale("log")
        axes.set_title(row["activation"].replace("_", " ").replace("relu", "ReLU"))
        axes.set_xlabel(f"step ({result['batch']} digits)")
        plain(axes)
    panels[0].set_ylabel("norm of the gradient")
    panels[-1].legend(fontsize=SMALL, frameon=False, ncols=2)
    return png(figure)
