"""docs/reliability.md: the table between its markers, from the results that are kept beside it."""

from collections.abc import Iterable
from pathlib import Path

from benchmarks.comparison import filled, table
from benchmarks.reliability.ledger import Ledger
from benchmarks.reliability.promise import Bound, Promise

RESULTS = Path(__file__).parents[2] / "docs" / "reliability"
PAGE = RESULTS.with_suffix(".md")


def write(promises: Iterable[Promise]) -> None:
    """The page with what is kept."""
    rows, hardware = [], set()
    for promise in promises:
        ledger = Ledger.of(RESULTS, promise)
        rows.append(_row(promise, ledger))
        hardware |= {entry["hardware"] for entry in ledger.latest}
    head = ("", "promise", "measured", "control", "last")
    content = table(head, rows, words=5) + (f"\nOn {'; '.join(sorted(hardware))}.\n" if hardware else "")
    PAGE.write_text(filled(PAGE.read_text(), "promises", content))


def line(promise: Promise, ledger: Ledger) -> str:
    """A promise's figure so far, in one line."""
    verdict = "BROKEN: " + "; ".join(ledger.broken[-3:]) if ledger.broken else "kept"
    return f"{promise.number} {promise.name}: {_measured(promise, ledger)}: {verdict}"


def _row(promise: Promise, ledger: Ledger) -> tuple[str, ...]:
    number, says = str(promise.number), f"{promise.says} (`{promise.name}`)"
    if not ledger.amount:
        return number, says, "not yet measured", "", ""
    against = "; ".join(ledger.control["broken"]) if ledger.control else "not yet measured"
    found = f"**broken**: {'; '.join(ledger.broken[-3:])}. " if ledger.broken else ""
    last = ledger.latest[-1]
    return (
        number,
        says,
        found + _measured(promise, ledger),
        f"{promise.against}: {against}",
        f"{last['date'].split()[0]}, {last['commit']}",
    )


def _measured(promise: Promise, ledger: Ledger) -> str:
    figures = [_figure(name, value, promise.bounds[name]) for name, value in ledger.worst.items()]
    share = "" if ledger.amount >= promise.full else f" of the {promise.full:,} asked for"
    again = [f"{ledger.repeated} portions measured twice"] if ledger.repeated else []
    return "; ".join([f"{ledger.amount:,} {promise.unit}{share}, {ledger.failures} failed", *figures, *again])


def _figure(name: str, value: float, bound: Bound) -> str:
    said = f"{name} {value:,.4g} {bound.unit}".rstrip()
    return f"{said} ({bound.text()})" if bound.text() else said
