"""Promise 7: schemathesis finds no answer that the OpenAPI document does not have."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.reliability import contract, tools
from benchmarks.reliability.promise import Ask, Promise, Trial
from benchmarks.reliability.servers import Running, rival, service

ROOT = Path(__file__).parents[3]
HERE = Path(contract.__file__).parent
OPERATIONS = 17  # of our document
CASES_AN_EXAMPLE = 1.5  # valid and invalid ones
SEED_STEP = 1_000_003


def _measured(server: Callable[[], AbstractContextManager[Running]], ask: Ask) -> Trial:
    paths = (str(tools.installed("schemathesis")), str(ROOT))
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    with server() as running, TemporaryDirectory() as folder:
        document, report = f"{running.url}/openapi.json", Path(folder) / "report.json"
        validator = [sys.executable, "-m", f"{contract.__name__}.valid", document]
        valid = subprocess.run(validator, cwd=ROOT, env=environment, check=False, stderr=subprocess.DEVNULL)
        command = [sys.executable, "-m", "schemathesis.cli", "--config-file", str(HERE / "schemathesis.toml"), "run"]
        command += [document, "--checks", "all", "--continue-on-failure", "--no-shrink", "--request-timeout", "60"]
        command += ["--max-examples", str(max(1, int(ask.amount / OPERATIONS / CASES_AN_EXAMPLE)))]
        command += [
            "--seed",
            str(SEED_STEP * ask.seed + ask.start),
            "--report",
            "json",
            "--report-json-path",
            str(report),
        ]
        hooks = {"SCHEMATHESIS_HOOKS": f"{contract.__name__}.checks"}
        subprocess.run(command, cwd=folder, env=environment | hooks, check=False, stdout=subprocess.DEVNULL)
        found = json.loads(report.read_text())
    notes = [f"{one['title']}: {', '.join(one['operations'])}" for one in found["failures"]]
    notes += [f"not tested: {one}" for one in found["errors"]]
    notes += ["the OpenAPI document is not valid"] if valid.returncode else []
    cases = found["test_cases"]
    failures = cases["with_failures"] + len(found["errors"]) + bool(valid.returncode)
    return Trial(cases["generated"], failures, {}, tuple(notes))


PROMISE = Promise(
    number=7,
    name="documented-answers",
    says="every answer is one that the OpenAPI document has (schemathesis, all checks)",
    unit="cases",
    full=50_000,
    small=2_000,
    portion=10_000,
    bounds={},
    keep=lambda ask: _measured(service, ask),
    control=lambda ask: _measured(lambda: rival("textbook"), ask),
    against="FastAPI as a tutorial has it",
    in_ci=False,
)
