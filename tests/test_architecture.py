"""The shape of the project is held, not only drawn."""

from collections import Counter
from pathlib import Path

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports

SHARED = {"__init__.py", "conftest.py"}


def test_imports_go_one_way():
    """Every import direction of docs/architecture.md is kept (the contracts stand in pyproject.toml)."""
    assert lint_imports() == EXIT_STATUS_SUCCESS


def test_no_two_test_modules_have_one_name():
    """pytest imports them by it: of two with one name, the second is an error."""
    names = Counter(file.name for file in Path(__file__).parent.rglob("*.py") if file.name not in SHARED)
    assert [name for name, count in names.items() if count > 1] == []
