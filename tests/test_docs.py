"""What the documentation says of the code is what the code says."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

from app.main import create_app
from app.settings import Settings

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("page", ["reference", "api"])
def test_a_printed_page_is_what_the_code_prints(page):
    """docs/reference.md holds today's settings, error codes and metrics, docs/api.md the OpenAPI document."""
    printed = subprocess.run(
        [sys.executable, f"docs/print_{page}.py"], cwd=ROOT, env={"PYTHONPATH": "."}, check=True, capture_output=True
    ).stdout
    assert (ROOT / "docs" / f"{page}.md").read_bytes() == printed


@pytest.mark.parametrize(("page", "least"), [("SECURITY.md", 30), ("docs/comparison.md", 12)])
def test_the_tests_that_a_page_names_are_there(page, least):
    """Each defence, and each thing that we say we can, is shown by a test of that name, or by a file of tests."""
    named = set(re.findall(r"`((?:tests/[\w/]+\.py)|test_\w+)`", (ROOT / page).read_text()))
    assert len(named) > least
    files = [file for file in (ROOT / "tests").rglob("*.py") if file != Path(__file__)]
    defined = {name for file in files for name in re.findall(r"def (test_\w+)", file.read_text())}
    paths = {str(file.relative_to(ROOT)) for file in files}
    assert named - defined - paths == set()


def test_the_site_has_no_dead_link(tmp_path):
    """Sphinx takes a dead link, a missing heading or a page that nothing leads to for an error."""
    options = ["--fail-on-warning", "--nitpicky", "--quiet", "--conf-dir", "docs", "--doctree-dir", tmp_path / "trees"]
    done = subprocess.run(
        [sys.executable, "-m", "sphinx", *options, ".", tmp_path / "site"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "observability.html" in (tmp_path / "site" / "docs" / "index.html").read_text()


def test_every_error_is_documented_as_json_and_every_answer_has_a_type():
    """A route whose answer is a page or a picture answers an error in JSON all the same."""
    paths = create_app(Settings()).openapi()["paths"]
    answers = [
        (path, status, list(answer.get("content", {})))
        for path, methods in paths.items()
        for operation in methods.values()
        for status, answer in operation["responses"].items()
    ]
    assert len(answers) > 100
    assert [one for one in answers if one[1] >= "400" and one[2] != ["application/json"]] == []
    assert [one for one in answers if not one[2]] == []
