"""A journey: steps, each with what was typed, what was seen, and how long it took."""

import os
import subprocess
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

WIDTH = 160  # characters of a line that are shown
LINES = 12  # of an output that are shown


class NotSo(Exception):
    """Something is not as the documentation says."""


class Skipped(Exception):
    """This machine lacks what the step takes."""


@dataclass
class Step:
    """One step, as it went."""

    title: str
    seen: list[str] = field(default_factory=list)  # lines
    seconds: float = 0.0
    fault: str | None = None  # what is not as the README says
    skipped: str | None = None  # why it could not be gone


class Journey:
    """Steps in one folder, told as they go."""

    def __init__(self, home: Path, tell: Callable[[str], None] = lambda _: None) -> None:
        self.home = home
        self.here = home  # where commands are typed
        self.steps: list[Step] = []
        self.variables = {
            # curl's meter is only for a terminal that shows nothing else; a person sees none here
            **{name: value for name, value in os.environ.items() if name not in ("PYTHONPATH", "VIRTUAL_ENV")},
            "CURL_HOME": str(home),
        }
        (home / ".curlrc").write_text("silent\nshow-error\n")
        self._tell = tell

    @contextmanager
    def step(self, title: str) -> Iterator[None]:
        """Everything in the block; what is not so ends the block, and is remembered."""
        self.steps.append(step := Step(title))
        self._tell(f"\n## {title}")
        start = time.perf_counter()
        try:
            yield
        except Skipped as why:
            step.skipped = str(why)
        except NotSo as fault:
            step.fault = str(fault)
        except (OSError, subprocess.SubprocessError, ValueError, LookupError) as fault:  # no JSON, no such key
            step.fault = f"{type(fault).__name__}: {fault}"
        finally:
            step.seconds = time.perf_counter() - start
        self._tell(f"{step.fault or step.skipped or 'as the README says'} ({step.seconds:.1f} s)")

    def see(self, *lines: str) -> None:
        """What a person sees, shortened where it is long."""
        for line in lines:
            seen = line.replace(str(self.home), "~")
            self.steps[-1].seen.append(seen if len(seen) <= WIDTH else f"{seen[: WIDTH - 4]} ...")
            self._tell(self.steps[-1].seen[-1])

    def type(self, command: str, *, code: int | None = 0) -> str:
        """Run a command in bash, show it and what it says, and return that. Raises NotSo for another exit code."""
        self.see(*(f"$ {line}" for line in command.splitlines()))
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.here,
            env=self.variables,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=600,
            check=False,
        )
        lines = done.stdout.splitlines()
        self.see(*lines[:LINES], *([f"... {len(lines) - LINES} more lines"] if len(lines) > LINES else []))
        self.expect(code is None or done.returncode == code, f"exit code {done.returncode}, not {code}")
        return done.stdout

    def expect(self, condition: object, otherwise: str) -> None:
        """Raises NotSo with what is otherwise than the README says."""
        if not condition:
            raise NotSo(otherwise)
