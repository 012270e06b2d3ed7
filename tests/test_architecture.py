"""The shape of the project is held, not only drawn."""

from importlinter.cli import EXIT_STATUS_SUCCESS, lint_imports


def test_imports_go_one_way():
    """Every import direction of docs/architecture.md is kept (the contracts stand in pyproject.toml)."""
    assert lint_imports() == EXIT_STATUS_SUCCESS
