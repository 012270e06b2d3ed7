"""Promise 16: the container of docker-compose.yml is nobody, may do nothing, is bounded, and needs no network.

Needs a Docker engine. Continuous integration shows the same by tests/container/test_confinement.py.
"""

import json
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.reliability.confinement import CONFINEMENT, open_doors
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial

ROOT = Path(__file__).parents[3]
IMAGE = "lenet5-serve:cpu"
COMPOSE = ("compose", "-p", "lenet5-promise")
READY = "for i in $(seq 300); do lenet5 health 2>/dev/null && exit; sleep 0.1; done; exit 1"


def _docker(*arguments: str) -> str:
    """The output of a docker command. Raises RuntimeError with what it said if it fails."""
    done = subprocess.run(
        ["docker", *arguments],
        cwd=ROOT,
        env=os.environ | {"LENET5_PUBLISH": "127.0.0.1:0", "LENET5_DRAIN_DELAY": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"docker {' '.join(arguments)}: {done.stderr.strip()}")
    return done.stdout.strip()


@contextmanager
def _composed() -> Iterator[str]:
    """The service as compose runs it, ready; its id."""
    try:
        _docker(*COMPOSE, "up", "--build", "--wait", "--detach", "lenet5")
        yield _docker(*COMPOSE, "ps", "--quiet", "lenet5")
    finally:
        _docker(*COMPOSE, "down", "--volumes")


@contextmanager
def _run(*options: str) -> Iterator[str]:
    """A container of the same image, ready; its id."""
    started = _docker("run", "--detach", *options, IMAGE)
    try:
        _docker("exec", started, "sh", "-c", READY)
        yield started
    finally:
        _docker("rm", "--force", "--volumes", started)


def _open(started: str) -> set[str]:
    return open_doors(json.loads(_docker("exec", started, "python", "-c", CONFINEMENT)))


def _trial(found: list[set[str]]) -> Trial:
    doors = set[str]().union(*found)
    failures = sum(map(bool, found))
    return Trial(len(found), failures, {"open doors": float(len(doors))}, tuple(sorted(doors)))


def _keep(ask: Ask) -> Trial:
    found = []
    for _ in range(ask.amount):
        with _composed() as started:
            found.append(_open(started))
        try:
            with _run("--network", "none", "--read-only", "--tmpfs", "/tmp"):
                pass
        except RuntimeError:
            found[-1].add("does not start without a network")
    return _trial(found)


def _control(ask: Ask) -> Trial:
    _docker(*COMPOSE, "build", "lenet5")
    found = []
    for _ in range(ask.amount):
        with _run() as started:
            found.append(_open(started))
    return _trial(found)


PROMISE = Promise(
    number=16,
    name="closed-box",
    says="the container that compose runs: uid not 0, no capabilities, no new privileges, seccomp on, root read-only, "
    "memory, processes and processors limited; it starts without a network",
    unit="containers",
    full=5,
    small=1,
    portion=5,
    bounds={"open doors": Bound("", most=0)},
    keep=_keep,
    control=_control,
    against="the same image, run without what compose says",
    in_ci=False,  # by the tests of the images instead
)
