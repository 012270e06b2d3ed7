"""What the tests of the command line share: the command as a process, and pictures in files."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from commands import command

Ended = subprocess.CompletedProcess[bytes]


@pytest.fixture
def lenet5(model_dir, tmp_path, monkeypatch) -> Callable[..., Ended]:
    """`lenet5("predict", ..., sent=b"")`: the command as a process of its own in `tmp_path`; `sent` is its input."""
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(sys.path))

    def run(*arguments: object, sent: bytes = b"", **variables: str) -> Ended:
        return subprocess.run(
            command(*arguments),
            cwd=tmp_path,
            env={**os.environ, **variables},
            input=sent,
            capture_output=True,
            check=False,
            timeout=120,
        )

    return run


@pytest.fixture
def predict(lenet5, model_dir) -> Callable[..., Ended]:
    """`predict("folder", ...)`: `lenet5 predict` with a small model."""
    return lambda *arguments, **options: lenet5("predict", *arguments, "--model-dir", model_dir, **options)


@pytest.fixture
def folder(tmp_path: Path, digits: list[bytes]) -> Path:
    """A folder with five digits."""
    folder = tmp_path / "digits"
    folder.mkdir()
    for place, digit in enumerate(digits[:5]):
        (folder / f"{place}.png").write_bytes(digit)
    return folder
