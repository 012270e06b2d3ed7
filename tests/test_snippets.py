"""Every snippet of the documentation is run, or is named below with what speaks against it."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple
from zipfile import ZipFile

import pytest
from markdown_it import MarkdownIt
from running import Running, service

from app.cli import app
from app.lenet.registry import default_model_dir
from app.lenet.weights import write_model

ROOT = Path(__file__).parents[1]
PAGES = [*ROOT.glob("*.md"), ROOT / "client" / "README.md", *sorted(ROOT.glob("docs/*.md"))]
URL = "http://127.0.0.1:8000"
LANGUAGES = {"sh", "python"}
SHOWN = {"", "json", "yaml", "toml", "text", "csv"}  # what is printed or kept in files

ELSEWHERE = {  # page, beginning of the snippet: the test that runs it
    ("client/README.md", ""): "test_a_snippet_runs",
    ("docs/inference_protocol.md", "import gzip"): "test_the_documentations_programs_run",
    ("docs/inference_protocol.md", "import asyncio"): "test_the_documentations_programs_run",
    ("docs/training.md", "import numpy"): "test_the_python_calls_work",
    ("docs/deployment.md", "docker compose up --build --wait"): "test_up_waits_until_it_answers",
    ("docs/reference.md", ""): "test_the_examples_of_the_help_are_commands",
}
NOT_RUN = {  # page, beginning of the snippet: why no test runs it
    (
        "README.md",
        "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt ./client . ",
    ): "python -m benchmarks.walk does, and .ci/run runs that",
    ("README.md", "python3 -m venv .venv && .venv/bin/pip install -c constraints.txt -e"): "it is these tests",
    ("README.md", "docker compose up"): "needs an engine; docs/deployment.md has the same",
    ("README.md", ".venv/bin/python -m training train training/configs/baseline"): "takes minutes",
    ("CONTRIBUTING.md", "python3 -m venv .venv &&"): "it is these tests",
    ("CONTRIBUTING.md", "python3 -m venv .venv-ray"): "needs ray, and a minute and a half",
    ("CONTRIBUTING.md", ".venv/bin/ruff"): "the linters; .ci/run has them",
    ("docs/adding_a_model.md", "python -m training train"): "takes minutes; .ci/run trains tiny.toml",
    ("docs/before_lenet.md", "pip install"): "takes half an hour",
    ("docs/deployment.md", "docker build"): "needs wheels; tests/container/test_train_image.py builds it",
    ("docs/deployment.md", "docker compose -f"): "needs a GPU",
    ("docs/deployment.md", "echo"): "needs a cluster",
    ("docs/deployment.md", "kubectl apply"): "needs a cluster with KServe",
    ("docs/deployment.md", "LENET5_USER"): "trains; tests/container/test_train_image.py runs the image",
    ("docs/fine_tuning.md", "pip install"): "takes minutes; tests/training/test_fine_tune.py runs the command",
    ("docs/input.md", "python -m training train held-out.toml"): "takes minutes",
    ("docs/observability.md", "promtool"): "needs promtool; tests/test_dashboards.py runs both",
    ("docs/ray.md", "pip install"): "needs ray; tests/cluster runs the deployment",
    ("docs/ray.md", "lenet5 read"): "needs ray; tests/cluster runs the command",
    ("docs/reliability.md", "python -m benchmarks.reliability"): "takes hours",
    ("docs/scale.md", "python -m benchmarks.scale"): "takes minutes",
    ("docs/walk.md", "python -m benchmarks.walk"): "needs a package index; .ci/run runs it",
    ("docs/training.md", "pip install"): "takes minutes; .ci/run trains tiny.toml",
    ("docs/training.md", "python -m training train"): "takes hours",
    ("docs/training.md", "for NAME"): "takes hours",
    ("docs/training.md", "torchrun"): "takes hours; tests/training/test_parallel.py runs it",
    ("docs/training.md", "python -m training evaluate"): "takes half a minute; .ci/run does it for every model",
}
GIVEN = {  # what a snippet names and does not make
    "docs/calibration.md": "import numpy as np\n"
    "draw = np.random.default_rng(0)\n"
    "mnist_labels, usps_labels, other_labels = draw.integers(0, 10, 90), draw.integers(0, 10, 90), np.full(90, 10)\n"
    "mnist_logits, usps_logits, other_logits = (\n"
    "    draw.normal(size=(90, 11)) + 6 * np.eye(11)[labels] for labels in (mnist_labels, usps_labels, other_labels)\n"
    ")\n",
}
LENET5 = """#!/bin/bash
case $1 in
  serve)  # until it is ready
    : >ready
    "$PYTHON" -m app "$@" --port 0 2>>ready & service=$!
    until grep -qs 'is ready on' ready || ! kill -0 $service 2>&-; do sleep 0.05; done
    kill $service 2>&- || true
    wait $service && grep 'is ready on' ready || { cat ready >&2; exit 1; } ;;
  bench) exec "$PYTHON" -m app "$@" --seconds 0.1 --callers 1 ;;
  *) exec "$PYTHON" -m app "$@" ;;
esac
"""


class Snippet(NamedTuple):
    """A fenced block of a page."""

    page: str
    line: int
    language: str
    text: str

    def key(self, table: dict[tuple[str, str], str]) -> tuple[str, str] | None:
        """The entry of the table that speaks of it, if any."""
        return next((key for key in table if key[0] == self.page and self.text.startswith(key[1])), None)


def snippets() -> list[Snippet]:
    """Every block of every page."""
    return [
        Snippet(str(page.relative_to(ROOT)), token.map[0] + 1, token.info, token.content)
        for page in PAGES
        for token in MarkdownIt().parse(page.read_text())
        if token.type == "fence" and token.map
    ]


ALL = snippets()
CODE = [snippet for snippet in ALL if snippet.language in LANGUAGES]
RUN = [snippet for snippet in CODE if not snippet.key(ELSEWHERE) and not snippet.key(NOT_RUN)]


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service that the snippets call."""
    with service(tmp_path_factory.mktemp("log") / "log", "--model-dir", str(default_model_dir())) as started:
        yield started


@pytest.fixture
def here(tmp_path: Path) -> Path:
    """A folder with what the snippets name: the repository's own, and pictures."""
    for name in ("README.md", "examples", "training", "model_weights", "benchmarks", "docs"):
        (tmp_path / name).symlink_to(ROOT / name)
    for name in ("7.png", "zip.png"):
        shutil.copy(ROOT / "examples" / name, tmp_path)
    for folder, name in (("folder", "7.png"), ("zips", "zip.png")):
        (tmp_path / folder).mkdir()
        shutil.copy(tmp_path / name, tmp_path / folder)
    with ZipFile(tmp_path / "scans.zip", "w") as archive:
        archive.write(tmp_path / "7.png", "7.png")
    shipped = default_model_dir() / "lenet5" / "1"
    files = {name: (shipped / name).read_bytes() for name in ("model.safetensors", "model.onnx")}
    manifest = json.loads((shipped / "manifest.json").read_text()) | {"name": "lenet5-tiny"}
    write_model(tmp_path / "runs/models/lenet5-tiny/1", files, manifest)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "lenet5").write_text(LENET5)
    (tmp_path / "bin" / "lenet5").chmod(0o755)
    (tmp_path / "bin" / "python").symlink_to(sys.executable)
    return tmp_path


@pytest.mark.parametrize("snippet", [pytest.param(one, id=f"{one.page}:{one.line}") for one in RUN])
def test_a_snippet_runs(running: Running, here: Path, snippet: Snippet) -> None:
    """As it stands, but for the port and for what it names; no command of it fails."""
    text = snippet.text.replace(URL, running.url)
    text = text.replace("read_fields.py", f"read_fields.py --url {running.url}")
    if snippet.language == "sh":
        command = ["bash", "-euo", "pipefail", "-c", text.replace(".venv/bin/", "")]
    else:
        command = [sys.executable, "-c", GIVEN.get(snippet.page, "") + text]
    path = f"{here / 'bin'}{os.pathsep}{os.environ['PATH']}"
    variables = {
        **os.environ,
        "PATH": path,
        "PYTHON": sys.executable,
        "OMP_NUM_THREADS": "1",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }
    done = subprocess.run(
        command,
        cwd=here,
        env=variables,
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
        stdin=subprocess.DEVNULL,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    for shown in re.findall(r"# (\d+  [\d.]+  \w+)$", text, re.MULTILINE):
        assert shown in done.stdout


def test_the_examples_of_the_help_are_commands() -> None:
    """Each in docs/reference.md, which is printed from the help, has options and arguments that are there."""
    lines = [line for snippet in ALL if snippet.page == "docs/reference.md" for line in snippet.text.splitlines()]
    examples = [re.split(r"\| | > ", line[line.index("lenet5 ") :])[0] for line in lines if "lenet5 " in line]
    assert len(examples) > 20
    for example in examples:
        app.parse_args(shlex.split(example, comments=True)[1:], exit_on_error=False, print_error=False)


def test_what_is_not_run_is_named() -> None:
    """Every exception is one snippet that is there, the tests named are there, and every block says what it is."""
    tests = "".join(file.read_text() for file in (ROOT / "tests").rglob("test_*.py"))
    for table in (ELSEWHERE, NOT_RUN):
        assert {snippet.key(table) for snippet in CODE} - {None} == table.keys()
    assert [name for name in ELSEWHERE.values() if f"def {name}(" not in tests] == []
    assert {snippet.language for snippet in ALL} <= LANGUAGES | SHOWN
    commands = r"^(\$ |lenet5 |python|pip |curl |docker |kubectl |make |export )"
    assert [one for one in ALL if one.language == "" and re.search(commands, one.text, re.MULTILINE)] == []
