"""What docs/training.md shows, done."""

import re
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs" / "training.md"


def test_the_python_calls_work(capsys: pytest.CaptureFixture[str]) -> None:
    """The snippet of the documentation runs, and what it trains is better than a guess."""
    (snippet,) = re.findall(r"```python\n(.*?)```", DOCS.read_text(), re.DOTALL)
    exec(compile(snippet, str(DOCS), "exec"), {})
    first, second, error = map(float, capsys.readouterr().out.split())
    assert second < first
    assert error < 50
