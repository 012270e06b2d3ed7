"""A report as tables in Markdown, for a card and for a person at a terminal."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from training import datasets
from training.card.sources import ROLES
from training.metrics import wilson
from training.report import KEPT, OnOthers, Report


@dataclass(frozen=True)
class SeedFigure:
    """What one seed of the same config came to."""

    seed: int
    error_percent: float  # of the test set
    misses: int
    held_out_error_percent: float | None = None  # what seeds may be chosen by; older records lack it
    others: dict[str, float] = field(default_factory=dict)  # error in percent on sets of other origins


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """The first column is words, the others are numbers, set to the right."""
    rule = ["---"] + ["--:"] * (len(head) - 1)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows))


def roles(report: Report) -> str:
    """What each set was to the model."""
    known = {name: one.role for name, one in report.digits.items()}
    known |= {name: one.role for name, one in report.others.items()}
    lines = [f"- `{name}`, {datasets.describe(name).title}: {ROLES[role]}" for name, role in known.items()]
    lines += [f"- `{name}`, {datasets.describe(name).title}: was not here to be measured" for name in report.missing]
    return "\n".join(lines)


def digits(report: Report) -> str:
    """Errors, with the interval that chance alone leaves, and what acceptance makes of them."""
    head = ("digits", "misread", "error", "95 % interval", "accepted", "error of the accepted")
    rows = []
    for name, one in report.digits.items():
        low, high = wilson(one.metrics.misses, one.metrics.count)
        rows.append(
            (
                f"`{name}`",
                f"{one.metrics.misses} of {one.metrics.count:,}",
                f"{one.metrics.error_percent:.2f} %",
                f"{100 * low:.2f} to {100 * high:.2f} %",
                _percent(one.accepted),
                f"{one.accepted_error_percent:.2f} %",
            )
        )
        if one.never_learnt:
            count, misses = one.never_learnt
            low, high = wilson(misses, count)
            interval = f"{100 * low:.2f} to {100 * high:.2f} %"
            rows.append(
                (f"`{name}`, every tenth", f"{misses} of {count:,}", _percent(misses / count), interval, "", "")
            )
    return table(head, rows)


def confidence(report: Report) -> str:
    """How true the probabilities and the confidence are."""
    head = ("digits", "NLL", "Brier", "ECE", "NLL over plain", "Brier over plain", "confidence of the misread")
    return table(
        head,
        [
            (
                f"`{name}`",
                f"{one.metrics.nll:.4f}",
                f"{one.metrics.brier:.4f}",
                f"{one.metrics.ece:.4f}",
                "" if one.metrics.nll_over_plain is None else f"{one.metrics.nll_over_plain:.3f}",
                "" if one.metrics.brier_over_plain is None else f"{one.metrics.brier_over_plain:.3f}",
                f"{one.metrics.misread_confidence:.3f}",
            )
            for name, one in report.digits.items()
        ],
    )


def rejects(report: Report) -> str:
    """Error of what is left when the least sure are refused, and what it takes for a wanted error."""
    first = next(iter(report.digits.values())).metrics
    head = (
        "digits",
        *(f"{100 * share:g} % refused" for share, _ in first.rejects),
        *(f"to refuse for {wanted:g} %" for wanted, _ in first.refused_for),
    )
    return table(
        head,
        [
            (
                f"`{name}`",
                *(f"{error:.2f} %" for _, error in one.metrics.rejects),
                *(_percent(share) for _, share in one.metrics.refused_for),
            )
            for name, one in report.digits.items()
        ],
    )


def others(report: Report) -> str:
    """What is no digit: how much of it is accepted, and how well it is told from the test digits."""
    head = (
        "no digits",
        "pictures",
        "accepted",
        f"accepted, {100 * KEPT:.0f} % of digits kept",
        "AUROC by confidence",
        "AUROC by digitness",
    )
    named = {f"`{name}`": one for name, one in report.others.items()} | dict(report.hostile)
    return table(head, [_other(name, one) for name, one in named.items()])


def _other(name: str, one: OnOthers) -> tuple[str, ...]:
    return (
        name,
        f"{one.count:,}",
        _percent(one.accepted),
        _percent(one.accepted_keeping),
        f"{one.confidence_auroc:.4f}",
        f"{one.digitness_auroc:.4f}",
    )


def seeds(known: Sequence[SeedFigure], own: int, test: str) -> str:
    """Every seed of the config and their mean."""
    columns: dict[str, list[float]] = {}
    held_out = [one.held_out_error_percent for one in known if one.held_out_error_percent is not None]
    if len(held_out) == len(known):
        columns["held-out error"] = held_out
    columns[f"`{test}` error"] = [one.error_percent for one in known]
    for name in known[0].others:
        if all(name in one.others for one in known):
            columns[f"`{name}` error"] = [one.others[name] for one in known]
    rows = [
        (
            f"{one.seed}, this model" if one.seed == own else f"{one.seed}",
            *(f"{column[place]:.2f} %" for column in columns.values()),
        )
        for place, one in enumerate(known)
    ]
    rows.append(("mean", *(f"**{sum(column) / len(column):.2f} %**" for column in columns.values())))
    return table(("seed", *columns), rows)


def _percent(share: float) -> str:
    return f"{100 * share:.2f} %"
