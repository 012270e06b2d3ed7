"""The pictures of a model card, as PNG bytes. matplotlib's object interface: no display, no global state."""

import io
import math

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.datasets import Digits
from training.metrics import Metrics, reject_curve, reliability
from training.phase import MEASURED, REFIT
from training.run import RunResult

Floats = npt.NDArray[np.float64]

INK, ACCENT, PALE = "#1f4e79", "#c0392b", "#9db8d1"


def all_figures(result: RunResult) -> dict[str, bytes]:
    """Every figure of a card: file name -> PNG."""
    labels = result.test_digits.labels
    return {
        "confusion.png": confusion(result.test),
        "learning_curve.png": learning_curve(result),
        "misread.png": misread(result.test_digits, result.test_probabilities),
        "reliability.png": reliability_diagram(result.test_probabilities, labels),
        "reject_curve.png": reject(result.test_probabilities, labels, result.held_out.threshold),
    }


def confusion(metrics: Metrics) -> bytes:
    """Counts of truth against reading; only the misreadings are coloured, since the diagonal would drown them."""
    table = np.array(metrics.confusion)
    off = np.where(np.eye(len(table), dtype=bool), 0, table)
    figure, axes = _figure(6, 5.4)
    axes.imshow(off, cmap="OrRd", vmin=0, vmax=max(1, off.max()))
    for truth, row in enumerate(table):
        for read, count in enumerate(row):
            diagonal = truth == read
            colour = "white" if not diagonal and count > 0.6 * off.max() else "#777777" if diagonal else "black"
            if count:
                axes.text(read, truth, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(table)))
    axes.set_yticks(range(len(table)))
    axes.set_xlabel("read as")
    axes.set_ylabel("digit")
    axes.set_title(f"{metrics.misses} of {metrics.count:,} misread ({metrics.error_percent:.2f} %)")
    return _png(figure)


def learning_curve(result: RunResult) -> bytes:
    """Loss of each epoch in both phases, and the error on held-out digits after it."""
    figure, axes = _figure(6.4, 4)
    right = axes.twinx()
    for phase, style in ((MEASURED, "-"), (REFIT, ":")):
        records = [record for record in result.log if record.phase == phase]
        epochs = [record.epoch for record in records]
        if records:
            axes.plot(epochs, [record.loss for record in records], style, color=INK, label=f"training loss, {phase}")
    measured = [record for record in result.log if record.held_out_error_percent is not None]
    errors = [record.held_out_error_percent or 0.0 for record in measured]
    right.plot([r.epoch for r in measured], errors, "o-", color=ACCENT, ms=4, label="error on held-out digits")
    axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("cross-entropy (nats)", color=INK)
    right.set_ylabel("error (%)", color=ACCENT)
    right.set_ylim(bottom=0)
    handles = axes.get_legend_handles_labels()[0] + right.get_legend_handles_labels()[0]
    axes.legend(handles=handles, loc="upper right", fontsize=8)
    axes.set_title(f"{result.config.name}, seed {result.config.seed}: last held-out error {errors[-1]:.2f} %")
    return _png(figure)


def misread(digits: Digits, probabilities: Floats, most: int = 210) -> bytes:
    """The misread digits, the surest mistakes first: truth > reading and confidence in percent.

    More than `most` are cut off, and the title says so.
    """
    read = probabilities.argmax(axis=1)
    confidence = probabilities.max(axis=1)
    wrong = np.flatnonzero(read != digits.labels)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    columns, (height, width) = 14, digits.pictures.shape[1:]
    rows = max(1, math.ceil(len(shown) / columns))
    tall, wide = math.ceil(1.5 * height), math.ceil(1.35 * width)  # one tile with its caption, in pixels
    sheet = np.zeros((rows * tall, columns * wide), np.uint8)
    figure, axes = _figure(columns * 0.72, rows * 0.8 + 0.4)
    for place, index in enumerate(shown):
        top, left = place // columns * tall + tall - height, place % columns * wide + (wide - width) // 2
        sheet[top : top + height, left : left + width] = digits.pictures[index]
        text = f"{digits.labels[index]} > {read[index]}  {100 * confidence[index]:.0f} %"
        axes.text(left + width / 2, top - 2, text, ha="center", va="bottom", fontsize=7)
    axes.imshow(sheet, cmap="gray_r", vmin=0, vmax=255, aspect="auto", interpolation="nearest")
    axes.axis("off")
    cut = "" if len(shown) == len(wrong) else f", the {len(shown)} surest"
    axes.set_title(f"{len(wrong)} misread digits of {digits.name}{cut}: digit > reading, confidence", fontsize=10)
    return _png(figure)


def reliability_diagram(probabilities: Floats, labels: npt.NDArray[np.int64]) -> bytes:
    """Share read right against confidence, with the number of digits in each bin on the bars."""
    table = reliability(probabilities, labels)
    figure, axes = _figure(5, 4.6)
    bins = len(table)
    for place, (count, sure, right) in enumerate(table):
        if count:
            axes.bar(place / bins, right, 1 / bins, align="edge", color=PALE, edgecolor="white")
            axes.plot(sure, right, "o", color=INK, ms=4)
            axes.text((place + 0.5) / bins, 0.015, f"{int(count):,}", ha="center", va="bottom", fontsize=7, rotation=90)
    axes.plot([0, 1], [0, 1], "--", color="#777777", lw=1)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1.03)
    axes.set_xlabel("confidence (the number on a bar: digits in it)")
    axes.set_ylabel("share read right")
    gap = float((table[:, 0] * np.abs(table[:, 1] - table[:, 2])).sum() / len(labels))
    axes.set_title(f"expected calibration error {gap:.4f}")
    return _png(figure)


def reject(probabilities: Floats, labels: npt.NDArray[np.int64], threshold: float) -> bytes:
    """Error of what is left against the share refused, least sure first, and where the model's threshold lies."""
    shares = np.linspace(0, 0.1, 201)
    errors = [reject_curve(probabilities, labels, share) for share in shares]
    refused = float((probabilities.max(axis=1) < threshold).mean())
    figure, axes = _figure(6, 4)
    axes.plot(100 * shares, errors, color=INK)
    axes.axvline(100 * refused, color=ACCENT, ls="--", lw=1)
    left = reject_curve(probabilities, labels, refused)
    note = f"threshold {threshold:.4f}:\n{100 * refused:.2f} % refused, {left:.2f} % error of the rest"
    axes.text(100 * refused + 0.15, max(errors) * 0.9, note, color=ACCENT, fontsize=8, va="center")
    axes.set_xlabel("refused, least sure first (%)")
    axes.set_ylabel("error of what is left (%)")
    axes.set_xlim(0, 10)
    axes.set_ylim(bottom=0)
    axes.grid(alpha=0.3)
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")  # inches
    return figure, figure.add_subplot()


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()
