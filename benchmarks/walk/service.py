"""The service that the stranger starts: the README's command, in a shell of its own, until Ctrl-C."""

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.walk.journey import NotSo

START = 600  # seconds: a download over a slow line
END = 30  # seconds
READY = re.compile(r"is ready on (http://\S+?): ")


@dataclass
class Service:
    """A command in its own terminal's process group, all that it says in a file."""

    command: str
    here: Path
    variables: dict[str, str]
    log: Path
    process: "subprocess.Popen[bytes]" = field(init=False)

    def __post_init__(self) -> None:
        with self.log.open("wb") as said:
            self.process = subprocess.Popen(
                ["bash", "-c", self.command],
                cwd=self.here,
                env=self.variables,
                stdin=subprocess.DEVNULL,
                stdout=said,
                stderr=said,
                start_new_session=True,
            )

    def said(self) -> list[str]:
        """Every line so far, of standard output and standard error."""
        return self.log.read_text(errors="replace").splitlines()

    def ready(self) -> str:
        """The line that says so, once it is there. Raises NotSo."""
        until = time.monotonic() + START
        while time.monotonic() < until:
            over = self.process.poll() is not None
            for line in self.said():
                if READY.search(line):
                    return line
            if over:
                raise NotSo("it ended instead: " + " / ".join(self.said()[-3:]))
            time.sleep(0.05)
        raise NotSo(f"it is not ready after {START} s")

    def interrupt(self) -> int:
        """Ctrl-C, as a terminal sends it: to the shell and all that it started. The exit code. Raises NotSo."""
        os.killpg(self.process.pid, signal.SIGINT)
        try:
            return self.process.wait(END)
        except subprocess.TimeoutExpired:
            raise NotSo(f"it is still there {END} s after Ctrl-C") from None

    def kill(self) -> None:
        """End it, whatever it does."""
        if self.process.poll() is None:
            os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()
