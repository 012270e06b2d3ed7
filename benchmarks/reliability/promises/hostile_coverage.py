"""Promise 6, guided by coverage: atheris looks for pictures that take new ways through our code and Pillow's."""

import os
import re
import subprocess
import sys
from pathlib import Path

from benchmarks.reliability import tools
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial

ROOT = Path(__file__).parents[3]
CORPUS = tools.FOLDER / "corpus"
ENDED = re.compile(r"Done (\d+) runs in")
RAISED = re.compile(r"Uncaught Python exception: ===\n(.+)")
MOST_BYTES = 65_536
MOST_MEGABYTES = 1024


def _measured(reader: str, ask: Ask) -> Trial:
    command = [sys.executable, "-m", "benchmarks.reliability.hostile.coverage", reader, str(CORPUS / reader)]
    command += [f"-max_total_time={ask.amount}", f"-max_len={MOST_BYTES}", f"-rss_limit_mb={MOST_MEGABYTES}"]
    command += [f"-seed={ask.seed + ask.start + 1}", f"-artifact_prefix={CORPUS}/found-"]
    paths = (str(tools.installed("atheris")), str(ROOT), str(ROOT / "client"))
    done = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": os.pathsep.join(paths)},
        check=False,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
    )
    said = done.stderr.decode(errors="replace")
    runs = ENDED.search(said)
    if done.returncode or runs is None:
        raised = RAISED.search(said)
        return Trial(ask.amount, 1, {}, (raised[1] if raised else f"it ended with {done.returncode}",))
    return Trial(ask.amount, 0, {"pictures": float(runs[1])})


PROMISE = Promise(
    number=6,
    name="hostile-coverage",
    says="nor does a fuzzer that is led by coverage (atheris) find one",
    unit="seconds",
    full=3600,
    small=30,
    portion=300,
    bounds={"pictures": Bound("in 300 s", least=1)},
    keep=lambda ask: _measured("ours", ask),
    control=lambda ask: _measured("naive", ask),
    against="Pillow's defaults, and the errors that its documentation names",
    in_ci=False,
)
