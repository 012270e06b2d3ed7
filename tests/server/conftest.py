"""What the tests of processes share."""

import contextlib
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from running import Running, service


@pytest.fixture
def serve(model_dir: Path, tmp_path: Path) -> Iterator[Callable[..., Running]]:
    """`serve("--option", "value", VARIABLE="value")`: a running service, ended with the test."""
    with contextlib.ExitStack() as stack:

        def start(*options: str, **variables: str) -> Running:
            log = tmp_path / f"log-{time.monotonic_ns()}"
            return stack.enter_context(service(log, *options, **{"LENET5_MODEL_DIR": str(model_dir), **variables}))

        yield start


@pytest.fixture
def own_models(model_dir: Path, tmp_path: Path) -> Path:
    """A copy of the model folder that a test may change."""
    return shutil.copytree(model_dir, tmp_path / "models")
