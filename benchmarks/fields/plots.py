"""Reject curve, reliability diagram and the sheet of misread fields, as PNG files."""

import math
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib.figure import Figure

from benchmarks.fields.figures import MISREAD, calibration_error, read_rate, reject_curve
from benchmarks.fields.reading import Answer

MOST = 48
"""Fields on one sheet, the surest misread ones first."""


def rejects(sets: Mapping[str, Sequence[Answer]], path: Path) -> None:
    """For each set the share misread of what is accepted, against the share accepted."""
    figure = Figure(layout="constrained", figsize=(7.2, 4.6))
    axes = figure.subplots()
    for name, answers in sets.items():
        shares, errors = reject_curve(answers)
        label = f"{name}: {100 * read_rate(answers):.1f} % read at 1 % misread"
        axes.plot(100 * shares, 100 * errors, label=label, lw=1.3)
    axes.axhline(100 * MISREAD, color="#777777", lw=0.8, ls=":")
    axes.set_xlim(0, 100)
    axes.set_ylim(0, 10)
    axes.set_xlabel("fields accepted (%), the surest first")
    axes.set_ylabel("misread of those (%)")
    axes.legend(fontsize=8, loc="upper left")
    figure.savefig(path, dpi=110)


def reliability(sets: Mapping[str, Sequence[Answer]], path: Path, bins: int = 10) -> None:
    """For each set the share that is right in bins of confidence; the size of a point is the bin's count."""
    figure = Figure(layout="constrained", figsize=(5.6, 5.2))
    axes = figure.subplots()
    axes.plot((0, 1), (0, 1), color="#777777", lw=0.8, ls=":")
    for name, answers in sets.items():
        sure = np.array([answer.confidence for answer in answers])
        right = np.array([answer.right for answer in answers])
        place = np.minimum((sure * bins).astype(int), bins - 1)
        used = np.unique(place)
        x = [sure[place == one].mean() for one in used]
        y = [right[place == one].mean() for one in used]
        size = [10 + 150 * (place == one).mean() for one in used]
        (line,) = axes.plot(x, y, lw=1, label=f"{name}, ECE {calibration_error(answers):.3f}")
        axes.scatter(x, y, s=size, color=line.get_color())
    axes.set_xlabel("confidence")
    axes.set_ylabel("fields that are right")
    axes.legend(fontsize=8, loc="upper left")
    figure.savefig(path, dpi=110)


def sheet(answers: Sequence[Answer], path: Path) -> None:
    """The misread fields, the surest first: the truth, what was read, and the confidence."""
    wrong = sorted((one for one in answers if not one.right), key=lambda one: -one.confidence)
    shown = wrong[:MOST]
    columns = 4
    rows = max(1, math.ceil(len(shown) / columns))
    figure = Figure(layout="constrained", figsize=(3.2 * columns, 1.25 * rows + 0.5))
    figure.suptitle(f"{len(wrong)} of {len(answers)} misread" + (f", {MOST} of them" if len(wrong) > MOST else ""))
    for place in range(rows * columns):
        axes = figure.add_subplot(rows, columns, place + 1)
        axes.set_axis_off()
        if place < len(shown):
            one = shown[place]
            axes.imshow(one.case.picture, cmap="gray", vmin=0, vmax=255, interpolation="bilinear")
            mark = "!" if one.accepted else ""
            second = ", in the best" if one.among_best else ""
            axes.set_title(
                f"{one.case.truth} as {one.text or 'nothing'}, {one.confidence:.2f}{mark}{second}", fontsize=8
            )
    figure.savefig(path, dpi=90)
