"""docs/performance.md: the tables between its markers and its pictures, from the results that are kept beside it."""

import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.comparison import filled, table
from benchmarks.speed.part import Part, Result

RESULTS = Path(__file__).parents[2] / "docs" / "performance"
PAGE = RESULTS.with_suffix(".md")
FIGURES = RESULTS.with_name("figures")


def write(parts: Sequence[Part]) -> None:
    """The page with what is kept, and the pictures."""
    PAGE.write_text(with_results(PAGE.read_text(), parts))
    for part in parts:
        if (result := kept(part)) is not None:
            for name, content in part.figures(result).items():
                (FIGURES / name).write_bytes(content)


def with_results(text: str, parts: Sequence[Part]) -> str:
    """The page with the tables of the kept results; a part without one keeps what stands there.

    Raises ValueError when the page has no place for one.
    """
    goals = []
    for part in parts:
        result = kept(part)
        if result is None:
            continue
        text = filled(text, part.name, f"{part.markdown(result)}\n{_conditions(result)}\n")
        goals += [(goal.measure, goal.floor, goal.goal, goal.measured, f"`{part.name}`") for goal in part.goals(result)]
    return filled(text, "goals", table(("measure", "floor", "goal", "measured", "part"), goals, words=5))


def _conditions(result: Result) -> str:
    """What the figures were had on."""
    machine, asked = dict(result["machine"]), result["asked"]
    hardware = machine.pop("hardware")
    versions = ", ".join(f"{name} {version}" for name, version in machine.items())
    return f"{asked['rounds']} rounds, loads of {asked['seconds']} s; {hardware}; {versions}."


def kept(part: Part) -> Result | None:
    """The part's result, if there is one."""
    path = RESULTS / f"{part.name}.json"
    return json.loads(path.read_text()) if path.exists() else None
