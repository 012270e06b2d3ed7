"""The pictures of a model card, as PNG bytes. matplotlib's object interface: no display, no global state."""

import io
import math
from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from training.metrics import Metrics, reject_curve, reliability, wilson
from training.phase import MEASURED, REFIT, Record
from training.report import OnDigits, Report
from training.shipped import Shipped

INK, ACCENT, PALE, GRAY = "#1f4e79", "#c0392b", "#9db8d1", "#777777"
MOST_REFUSED = 0.1  # share, as far as the reject curve goes
LEARNT = {"learnt": ",\nlearnt from", "partly learnt": ",\npartly learnt"}


def all_figures(shipped: Shipped, report: Report) -> dict[str, bytes]:
    """Every figure of a card: file name -> PNG."""
    test = report.digits[report.test]
    return {
        "sets.png": sets(report),
        "learning_curve.png": learning_curve(shipped.log, f"{shipped.config.name}, seed {shipped.config.seed}"),
        "confusion.png": confusion(report.test, test.metrics),
        "misread.png": misread(test),
        "reliability.png": reliability_diagrams(report.digits),
        "reject_curve.png": rejects(report.digits, report.threshold),
    }


def sets(report: Report) -> bytes:
    """Error on every set of digits, with its 95 % interval; and how much of what is no digit would be accepted."""
    figure = Figure(
        layout="constrained", figsize=(8, 0.4 * (len(report.digits) + len(report.others) + len(report.hostile)) + 2)
    )
    heights = [len(report.digits) + 0.6, len(report.others) + len(report.hostile) + 0.6]
    above, below = figure.subplots(2, 1, height_ratios=heights)
    errors = [one.metrics.error_percent for one in report.digits.values()]
    ends = [wilson(one.metrics.misses, one.metrics.count) for one in report.digits.values()]
    reach = [
        [max(0.0, error - 100 * low) for error, (low, _) in zip(errors, ends, strict=True)],
        [max(0.0, 100 * high - error) for error, (_, high) in zip(errors, ends, strict=True)],
    ]
    colours = [PALE if one.role in LEARNT else INK for one in report.digits.values()]
    above.barh(range(len(errors)), errors, color=colours, height=0.6)
    above.errorbar(errors, range(len(errors)), xerr=reach, fmt="none", ecolor="black", capsize=3, lw=1)
    for place, one in enumerate(report.digits.values()):
        text = f"  {errors[place]:.2f} %, {one.metrics.misses:,} of {one.metrics.count:,}"
        above.text(100 * ends[place][1], place, text, va="center", fontsize=9)
    above.set_yticks(range(len(errors)), [name + LEARNT.get(one.role, "") for name, one in report.digits.items()])
    above.set_xlim(0, 1.5 * max(100 * high for _, high in ends))
    above.set_xlabel("digits that are misread (%), with the 95 % interval")

    others = {**report.others, **report.hostile}
    shares = [100 * one.accepted for one in others.values()]
    below.barh(
        range(len(shares)), shares, color=[PALE if o.role in LEARNT else ACCENT for o in others.values()], height=0.6
    )
    for place, other in enumerate(others.values()):
        below.text(shares[place], place, f"  {shares[place]:.1f} % of {other.count:,}", va="center", fontsize=9)
    below.set_yticks(range(len(shares)), [name + LEARNT.get(one.role, "") for name, one in others.items()])
    below.set_xlim(0, 100 if max(shares) > 50 else 1.5 * max(1.0, *shares))
    below.set_xlabel(f"of what is no digit, accepted at the threshold {report.threshold} (%)")
    for axes in (above, below):
        axes.invert_yaxis()
        axes.spines[["top", "right"]].set_visible(False)
    return _png(figure)


def confusion(name: str, metrics: Metrics) -> bytes:
    """Counts of truth against reading; only the misreadings are coloured, since the diagonal would drown them."""
    table = np.array(metrics.confusion)
    off = np.where(np.eye(len(table), dtype=bool), 0, table)
    figure, axes = _figure(6, 5.4)
    axes.imshow(off, cmap="OrRd", vmin=0, vmax=max(1, off.max()))
    for truth, row in enumerate(table):
        for read, count in enumerate(row):
            diagonal = truth == read
            colour = "white" if not diagonal and count > 0.6 * off.max() else GRAY if diagonal else "black"
            if count:
                axes.text(read, truth, f"{count:,}", ha="center", va="center", color=colour, fontsize=8)
    axes.set_xticks(range(len(table)))
    axes.set_yticks(range(len(table)))
    axes.set_xlabel("read as")
    axes.set_ylabel("digit")
    axes.set_title(f"{name}: {metrics.misses} of {metrics.count:,} misread ({metrics.error_percent:.2f} %)")
    return _png(figure)


def learning_curve(log: Sequence[Record], run: str) -> bytes:
    """Loss of each epoch, of both phases where there are two, and the error on held-out digits after it."""
    figure, axes = _figure(6.4, 4)
    right = axes.twinx()
    phases = [phase for phase in (MEASURED, REFIT) if any(record.phase == phase for record in log)]
    for phase, style in zip(phases, ("-", ":"), strict=False):
        records = [record for record in log if record.phase == phase]
        label = "training loss" if len(phases) == 1 else f"training loss, {phase}"
        axes.plot(
            [record.epoch for record in records], [record.loss for record in records], style, color=INK, label=label
        )
    measured = [(r.epoch, r.held_out_error_percent) for r in log if r.held_out_error_percent is not None]
    if measured:
        right.plot(*zip(*measured, strict=True), "o-", color=ACCENT, ms=3, lw=1, label="error on held-out digits")
        axes.set_title(f"{run}: last held-out error {measured[-1][1]:.2f} %")
    losses = [record.loss for record in log]
    if max(losses) > 5 * min(losses):
        axes.set_yscale("log")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_ylabel("loss (nats)", color=INK)
    right.set_ylabel("error (%)", color=ACCENT)
    right.set_ylim(bottom=0)
    handles = axes.get_legend_handles_labels()[0] + right.get_legend_handles_labels()[0]
    axes.legend(handles=handles, loc="upper right", fontsize=8)
    return _png(figure)


def misread(one: OnDigits, most: int = 210) -> bytes:
    """The misread digits, the surest mistakes first: truth > reading and confidence in percent.

    More than `most` are cut off, and the title says so.
    """
    digits, calibrated = one.digits, one.answers.calibrated
    read, confidence = calibrated.probabilities.argmax(axis=1), calibrated.confidence
    wrong = np.flatnonzero(read != digits.labels)
    shown = wrong[np.argsort(-confidence[wrong], kind="stable")][:most]
    columns, (height, width) = 10 if len(shown) <= 60 else 14, digits.pictures.shape[1:]
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


def reliability_diagrams(sets_of_digits: Mapping[str, OnDigits]) -> bytes:
    """For each set, share read right against confidence, with the number of digits in each bin on the bars."""
    figure, panels = _panels(len(sets_of_digits), 3.6)
    for axes, (name, one) in zip(panels, sets_of_digits.items(), strict=True):
        probabilities, sure = one.answers.calibrated.probabilities, one.answers.calibrated.confidence
        table = reliability(probabilities, one.digits.labels, confidence=sure)
        bins = len(table)
        for place, (count, mean, right) in enumerate(table):
            if count:
                axes.bar(place / bins, right, 1 / bins, align="edge", color=PALE, edgecolor="white")
                axes.plot(mean, right, "o", color=INK, ms=4)
                axes.text(
                    (place + 0.5) / bins, 0.015, f"{int(count):,}", ha="center", va="bottom", fontsize=7, rotation=90
                )
        axes.plot([0, 1], [0, 1], "--", color=GRAY, lw=1)
        axes.set_xlim(0, 1)
        axes.set_ylim(0, 1.03)
        axes.set_xlabel("confidence (on a bar: digits in it)")
        axes.set_title(f"{name}: ECE {one.metrics.ece:.4f}", fontsize=10)
    panels[0].set_ylabel("share read right")
    return _png(figure)


def rejects(sets_of_digits: Mapping[str, OnDigits], threshold: float) -> bytes:
    """For each set, error of what is left against the share refused, least sure first; and what the model does."""
    figure, panels = _panels(len(sets_of_digits), 3.5)
    shares = np.linspace(0, MOST_REFUSED, 201)
    for axes, (name, one) in zip(panels, sets_of_digits.items(), strict=True):
        calibrated, labels = one.answers.calibrated, one.digits.labels
        curve = [
            reject_curve(calibrated.probabilities, labels, share, confidence=calibrated.confidence) for share in shares
        ]
        axes.plot(100 * shares, curve, color=INK)
        refused, error = 100 * (1 - one.accepted), one.accepted_error_percent
        axes.plot(refused, error, "o", color=ACCENT, ms=6, clip_on=False, zorder=3)
        done = f"at the threshold {threshold}: {refused:.2f} %\nrefused, {error:.2f} % error of the rest"
        axes.text(0.5, 1.02, done, color=ACCENT, fontsize=8, ha="center", va="bottom", transform=axes.transAxes)
        axes.set_title(name, fontsize=10, pad=28)
        axes.set_xlabel("refused, least sure first (%)")
        axes.set_xlim(0, max(100 * MOST_REFUSED, 1.05 * refused))
        axes.set_ylim(0, 1.05 * max(*curve, error, 0.1))
        axes.grid(alpha=0.3)
    panels[0].set_ylabel("error of what is left (%)")
    return _png(figure)


def _figure(width: float, height: float) -> tuple[Figure, Axes]:
    figure = Figure(figsize=(width, height), layout="constrained")  # inches
    return figure, figure.add_subplot()


def _panels(count: int, height: float) -> tuple[Figure, Sequence[Axes]]:
    """Side by side, as wide as a card."""
    figure = Figure(figsize=(max(5.0, 3.1 * count), height), layout="constrained")
    axes: npt.NDArray[np.object_] = figure.subplots(1, count, squeeze=False)
    return figure, list(axes[0])


def _png(figure: Figure) -> bytes:
    stream = io.BytesIO()
    figure.savefig(stream, format="png", dpi=100, metadata={"Software": None})
    return stream.getvalue()
