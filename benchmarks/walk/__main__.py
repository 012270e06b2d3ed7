"""The stranger's walk, gone by a program: clone, one command to a ready service, and everything of the README's first
screen, each step timed, with what a person sees.

    python -m benchmarks.walk            # exits with 1 when a step is not what the README says
    python -m benchmarks.walk --write    # keeps the transcript: docs/walk.md

The commands are taken from the README of the clone, and from pages that its first screen links, so that the walk cannot
be another one than the documentation's. It stands here and not in the tests since it measures, and since it installs
from a package index and takes minutes; a step that this machine has nothing for (no Chromium) is named as not gone.
"""

import argparse
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from benchmarks.walk.journey import Journey
from benchmarks.walk.steps import Walk, go
from benchmarks.walk.transcript import ROOT, page

PAGE = ROOT / "docs" / "walk.md"


def main() -> int:
    """Walk, say how it went, and keep that where it is asked for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--port", type=int, default=8000, help="of the service, where 8000 is taken; 0: a free one")
    parser.add_argument("--repository", type=Path, default=ROOT, help="what is cloned")
    parser.add_argument("--write", action="store_true", help=f"write {PAGE.relative_to(ROOT)}")
    options = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it, and so its children
    with tempfile.TemporaryDirectory(prefix="walk-") as home:
        journey = Journey(Path(home), lambda line: print(line, flush=True))
        go(Walk(journey, options.port or _free()), options.repository)
    faults = [step for step in journey.steps if step.fault]
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=options.repository, check=True, capture_output=True, text=True
    ).stdout.strip()
    if options.write and not faults:
        PAGE.write_text(page(journey.steps, commit))
    for step in faults:
        print(f"not as the README says: {step.title}: {step.fault}")
    return 1 if faults else 0


def _free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
        return port


if __name__ == "__main__":
    raise SystemExit(main())
