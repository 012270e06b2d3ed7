"""How the results are said."""

from typing import Any

from benchmarks.classical.measure import Row
from benchmarks.comparison import table

SETS = ("mnist-test", "usps", "optdigits")


def said(row: Row) -> str:
    """One line of progress."""
    found = "  ".join(f"{name} {error:.2f} %" for name, error in row.error_percent.items())
    fit = "" if row.fit_seconds is None else f"  learnt in {row.fit_seconds:.0f} s"
    return f"{row.name:36} {found}{fit}  {row.alone_seconds * 1e3:.2f} ms a digit"


def markdown(result: dict[str, Any]) -> str:
    """The rows of the result's file as a table."""
    sets = [name for name in SETS if name in result["counts"]]
    rows = [
        (
            row["name"],
            row["features"],
            *(f"{row['error_percent'][name]:.2f} %" for name in sets),
            f"{row['sure_error_percent']:.2f} %",
            "" if row["paper_error_percent"] is None else f"{row['paper_error_percent']:g} %",
            f"{row['numbers']:,}",
            _bytes(row["size"]),
            "" if row["fit_seconds"] is None else f"{row['fit_seconds']:.0f} s",
            f"{row['alone_seconds'] * 1e3:.2f} ms",
            f"{row['bulk_seconds'] * 1e6:.0f} µs",
        )
        for row in result["rows"]
    ]
    head = ("method", "features", *sets, "surest 95 %", "the paper's", "numbers", "size", "learns", "alone", "in bulk")
    return table(head, rows, words=2)


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"
