"""docs/performance.md: the tables between its markers and its pictures, from the results that are kept beside it."""

import json
from collections.abc import Iterable
from pathlib import Path

from benchmarks.comparison import filled, table
from benchmarks.serving.part import Part

RESULTS = Path(__file__).parents[2] / "docs" / "performance"
PAGE = RESULTS.with_suffix(".md")
FIGURES = RESULTS.with_name("figures")


def write(parts: Iterable[Part]) -> None:
    """Fill in what was measured; a part without a result keeps what stands there."""
    text = PAGE.read_text()
    goals = []
    for part in parts:
        path = RESULTS / f"{part.name}.json"
        if not path.exists():
            continue
        result = json.loads(path.read_text())
        machine = ", ".join(
            f"{name} {value}" if name != "hardware" else value for name, value in result["machine"].items()
        )
        text = filled(text, part.name, f"{part.markdown(result)}\nOn {machine}.\n")
        goals += [
            [*row] for row in ((g.measure, g.floor, g.goal, g.measured, f"`{part.name}`") for g in part.goals(result))
        ]
        for name, content in part.figures(result).items():
            (FIGURES / name).write_bytes(content)
    PAGE.write_text(filled(text, "goals", table(("measure", "floor", "goal", "measured", "part"), goals)))
