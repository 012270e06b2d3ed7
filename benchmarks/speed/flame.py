"""A flame graph: each function as wide as the share of samples that it is in, on what called it."""

from typing import Any

from matplotlib.axes import Axes

from benchmarks.before_lenet.sheet import ACCENT, GRAY, GREEN, PALE, SMALL, png, sheet
from benchmarks.speed.stacks import package

ROW = 0.13  # inches
LETTER = 0.0075  # of the figure's width
COLOURS = {"app": ACCENT, "uvicorn": GREEN, "asyncio": GRAY}
OPAQUE = 0.75


def flame(tree: dict[str, Any]) -> bytes:
    """The tree of `Stacks.tree` as a PNG."""
    depth = _depth(tree)
    figure = sheet(ROW * depth + 0.4)
    axes = figure.subplots()
    _draw(axes, tree, 0.0, 0)
    axes.set_xlim(0, tree["share"])
    axes.set_ylim(0, depth)
    axes.axis("off")
    return png(figure)


def _depth(tree: dict[str, Any]) -> int:
    return 1 + max((_depth(child) for child in tree["children"]), default=0)


def _draw(axes: Axes, tree: dict[str, Any], left: float, row: int) -> None:
    colour = COLOURS.get(package(tree["name"]), PALE)
    axes.barh(row + 0.5, tree["share"], left=left, height=0.94, color=colour, alpha=OPAQUE, edgecolor="white", lw=0.3)
    text = tree["name"].partition(" (")[0]
    letters = int(tree["share"] / LETTER)
    if letters > 2:
        axes.text(left + LETTER / 4, row + 0.5, text[:letters], fontsize=SMALL - 3, va="center", clip_on=True)
    for child in sorted(tree["children"], key=lambda one: one["name"]):
        _draw(axes, child, left, row + 1)
        left += child["share"]
