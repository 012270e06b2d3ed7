"""What a part of the benchmark is, and what it is told."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Result = dict[str, Any]  # as JSON keeps it


@dataclass(frozen=True)
class Options:
    """How thoroughly, and where."""

    rounds: int
    seconds: int  # of each load
    environments: Path  # the rivals'
    only: tuple[str, ...]  # the scripts of the rivals that are measured; empty: all
    data_dir: Path | None


@dataclass(frozen=True)
class Goal:
    """A row of the table of goals."""

    measure: str
    floor: str
    goal: str
    measured: str


def _no_figures(_: Result) -> Mapping[str, bytes]:
    return {}


@dataclass(frozen=True)
class Part:
    """One measurement: made, kept as JSON, and shown from that."""

    name: str
    measure: Callable[[Options], Result]
    markdown: Callable[[Result], str]
    goals: Callable[[Result], list[Goal]]
    figures: Callable[[Result], Mapping[str, bytes]] = _no_figures  # file name -> PNG
