"""What was measured so far, one JSON a promise: it adds up over runs, and a run goes on where the last one stopped."""

import json
import subprocess
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks.reliability.promise import Promise, Trial
from benchmarks.speed.machine import describe

LATEST = 20
"""Portions that are listed one by one."""
NOTES = 20
"""Of a portion, or a control, that are kept."""


@dataclass
class Ledger:
    """The sum of a promise's portions."""

    path: Path | None  # None: it is kept nowhere
    amount: int = 0
    failures: int = 0
    repeated: int = 0  # portions that were measured twice, as the machine was noisy
    worst: dict[str, float] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)  # what ever spoke against it
    latest: list[dict[str, Any]] = field(default_factory=list)
    control: dict[str, Any] | None = None

    @classmethod
    def of(cls, folder: Path, promise: Promise, *, afresh: bool = False) -> "Ledger":
        """What the folder has of it; of a promise that is measured `afresh` the control's figures alone."""
        path = folder / f"{promise.name}.json"
        had = json.loads(path.read_text()) if path.exists() else {}
        return cls(path, control=had.get("control")) if afresh else cls(path, **had)

    def add(self, promise: Promise, trial: Trial, seconds: float, *, repeated: bool) -> None:
        """One portion more, kept at once."""
        self.amount += trial.amount
        self.failures += trial.failures
        self.repeated += repeated
        self.broken += promise.broken(trial)
        for name, value in trial.figures.items():
            self.worst[name] = promise.bounds[name].worse(self.worst.get(name, value), value)
        self.latest = [*self.latest, _entry(promise, trial, seconds)][-LATEST:]
        self._keep()

    def add_control(self, promise: Promise, trial: Trial, seconds: float) -> None:
        """The control's figures, in place of former ones."""
        self.control = _entry(promise, trial, seconds)
        self._keep()

    def _keep(self) -> None:
        if self.path is None:
            return
        content = {name: value for name, value in asdict(self).items() if name != "path"}
        self.path.parent.mkdir(parents=True, exist_ok=True)
        whole = self.path.with_suffix(".tmp")
        whole.write_text(json.dumps(content, indent=1) + "\n")
        whole.replace(self.path)  # stopped at any moment, it is the old or the new one


def _entry(promise: Promise, trial: Trial, seconds: float) -> dict[str, Any]:
    return {
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M"),
        "commit": _commit(),
        "hardware": describe()["hardware"],
        "seconds": round(seconds, 1),
        "broken": promise.broken(trial),
        **asdict(trial),
        "notes": list(trial.notes[:NOTES]),
    }


def _commit() -> str:
    """What was measured, `+` behind it where files had changed since; empty outside of a repository."""
    told = subprocess.run(
        ["git", "describe", "--always", "--dirty=+"],
        check=False,
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent,
    )
    return told.stdout.strip()


def portions(promise: Promise, start: int, amount: int) -> Iterator[tuple[int, int]]:
    """(number of its first case, cases) of each portion of `amount` cases after `start`."""
    for first in range(start, start + amount, promise.portion):
        yield first, min(promise.portion, start + amount - first)
