"""benchmarks.walk: its steps hold what the documentation says against a real service, and say what is otherwise."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from shutil import which

import pytest

from benchmarks.walk import pictures, steps
from benchmarks.walk.journey import Journey, NotSo, Skipped
from benchmarks.walk.readme import NotThere, Readme, differs
from benchmarks.walk.service import Service
from benchmarks.walk.steps import Walk
from benchmarks.walk.transcript import page

ROOT = Path(__file__).parents[2]
LENET5 = '#!/bin/bash\nexec "$PYTHON" -m app "$@"\n'


@pytest.fixture(scope="module")
def walk(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Walk]:
    """A clone as it is after the README's command, its environment this one, with what the stranger brings along."""
    home = tmp_path_factory.mktemp("home")
    journey = Journey(home)
    journey.here = home / "clone"
    journey.here.mkdir()
    for name in ("README.md", "docs", "examples"):
        (journey.here / name).symlink_to(ROOT / name)
    tools = journey.here / ".venv" / "bin"
    tools.mkdir(parents=True)
    (tools / "lenet5").write_text(LENET5)
    (tools / "lenet5").chmod(0o755)
    (tools / "python").symlink_to(sys.executable)
    journey.variables |= {"PYTHON": sys.executable, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"}
    with socket.create_server(("127.0.0.1", 0)) as taken:
        started = Walk(journey, taken.getsockname()[1])
    started.truth = pictures.lay_out(journey.here)
    command = "true && .venv/bin/lenet5 serve"
    variables = journey.variables | {"LENET5_PORT": str(started.port)}
    before = signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job ignores it
    started.service = Service(command, journey.here, variables, home / "log")
    signal.signal(signal.SIGINT, before)
    started.service.ready()
    yield started
    started.service.kill()


STEPS = [
    step for title, step in steps.STEPS.items() if which("chromium") or step not in (steps.page, steps.documentation)
]


@pytest.mark.skipif(which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.__name__)
def test_a_step_is_as_the_documentation_says(walk: Walk, step: steps.Go) -> None:
    """Of the service as it stands, by the documentation as it stands."""
    with walk.journey.step(step.__name__):
        step(walk)
    assert walk.journey.steps[-1].fault is None
    assert walk.journey.steps[-1].skipped is None


@pytest.mark.skipif(which("curl") is None, reason="there is no curl")
@pytest.mark.parametrize(
    ("file", "said", "instead", "step"),
    [
        ("README.md", '{"digit":7,', '{"digit":1,', steps.pictures_by_curl),
        ("README.md", '"confidence":0.9929,', '"confidence":0.9930,', steps.pictures_by_curl),
        ("README.md", "predict folder/ scans.zip", "predict folder/", steps.folder),
        ("README.md", '.predict("examples/7.png")', '.predict("examples/photo-of-a-4.jpg")', steps.client),
        ("README.md", "](docs/error_rate.md)", "](docs/other.md)", steps.zips),
        (
            "docs/error_rate.md",
            "--target-error 0.005 --output strict",
            "--target-error 0.05 --output strict",
            steps.zips,
        ),
        ("docs/reference.md", "| 413 | `body_too_large`", "| 400 | `body_too_large`", steps.no_digit),
    ],
)
def test_documentation_that_says_otherwise_fails_its_step(
    walk: Walk, tmp_path: Path, file: str, said: str, instead: str, step: steps.Go
) -> None:
    """Whatever the page says otherwise than the service does."""
    clone = tmp_path / "clone"
    shutil.copytree(walk.journey.here, clone, symlinks=True)
    for name in ("README.md", "docs"):
        (clone / name).unlink()
    (clone / "docs").mkdir()
    for name in ("README.md", "docs/error_rate.md", "docs/reference.md"):
        text = (ROOT / name).read_text()
        assert name != file or said in text
        (clone / name).write_text(text.replace(said, instead) if name == file else text)
    there = Journey(tmp_path)
    there.here, there.variables = clone, walk.journey.variables
    with there.step("changed"):
        step(Walk(there, walk.port, walk.service, walk.truth))
    assert there.steps[-1].fault


def test_ctrl_c_ends_it(walk: Walk) -> None:
    """With what it says, and 0. Runs last of those that need it."""
    with walk.journey.step("leave"):
        steps.leave(walk)
    assert walk.journey.steps[-1].fault is None
    assert any("then leaving" in line for line in walk.journey.steps[-1].seen)


def test_a_service_that_ends_instead_is_told_of(tmp_path: Path) -> None:
    """With its last words."""
    service = Service("echo cannot listen; exit 1", tmp_path, dict(os.environ), tmp_path / "log")
    with pytest.raises(NotSo, match="cannot listen"):
        service.ready()


def test_a_fault_ends_its_step_and_no_other(tmp_path: Path) -> None:
    """It is kept with what was seen before it; what a machine lacks is none."""
    journey = Journey(tmp_path)
    with journey.step("fails"):
        journey.type("echo seen; false")
        raise AssertionError("not reached")
    with journey.step("cannot be gone"):
        raise Skipped("there is no Chromium")
    with journey.step("goes on"):
        journey.type(f"echo {tmp_path}; yes no | head -100")
    assert [(step.fault, step.skipped) for step in journey.steps] == [
        ("exit code 1, not 0", None),
        (None, "there is no Chromium"),
        (None, None),
    ]
    assert journey.steps[0].seen == ["$ echo seen; false", "seen"]
    assert journey.steps[2].seen[1] == "~"
    assert journey.steps[2].seen[-1] == "... 89 more lines"
    text = page(journey.steps, "abc1234")
    assert "| cannot be gone | not gone: there is no Chromium |" in text
    assert "## cannot be gone" not in text
    assert "## goes on\n\n```text\n$ echo ~" in text


def test_the_walk_exits_with_1_where_the_readme_is_otherwise(tmp_path: Path) -> None:
    """As of a clone that does not say how much is downloaded."""
    (tmp_path / "README.md").write_text("# Without sizes\n")
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for arguments in (["init", "-q"], ["add", "."], ["commit", "-qm", "one"]):
        subprocess.run([*git, *arguments], check=True)
    walk = [sys.executable, "-m", "benchmarks.walk", "--repository", str(tmp_path), "--port", "0"]
    done = subprocess.run(walk, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "not as the README says: The size, then" in done.stdout


def test_snippets_are_the_first_screens_and_its_pages() -> None:
    """What stands further down, or on a page that is not linked, is not to be had."""
    readme = Readme(ROOT)
    assert readme.snippet("from lenet5_client").startswith("from lenet5_client import Client")
    with pytest.raises(NotThere):
        readme.snippet("docker compose")
    with pytest.raises(NotThere):
        readme.page("docs/batcher.md")


def test_a_printed_answer_is_compared_in_the_digits_that_are_printed() -> None:
    """And by what stands before its alternatives."""
    said = '{"text":"85615","accepted":true,"confidence":0.9951,"alternatives":[{"text":"1"}], ...}'
    answer = {"text": "85615", "accepted": True, "confidence": 0.99513}
    assert differs(said, answer) == []
    assert differs(said, answer | {"confidence": 0.9949}) == ["confidence"]
    assert differs(said, json.loads('{"text": "8561", "accepted": false}')) == ["text", "accepted", "confidence"]
