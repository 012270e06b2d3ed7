"""Tests of the images need a Docker engine and minutes: they run only when asked for, by `pytest -m container`."""

import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from compose import Compose
from engine import ROOT, docker

HERE = Path(__file__).parent
FIGURES = pytest.StashKey[list[str]]()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of this folder out, unless the command line's -m speaks of them."""
    if "container" in config.option.markexpr:
        return
    ours = [item for item in items if HERE in item.path.parents]
    if ours:
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Print what was measured on the way."""
    for line in config.stash.get(FIGURES, []):
        terminalreporter.write_line(line)


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> list[str]:
    """Lines that are printed at the end of the run."""
    return request.config.stash.setdefault(FIGURES, [])


@pytest.fixture(scope="session")
def image() -> str:
    """The default target, built."""
    docker("build", "--quiet", "--tag", "lenet5-serve:test", ".")
    return "lenet5-serve:test"


@pytest.fixture(scope="session")
def train_image() -> str:
    """The train target, built with the wheel of torch in the folder that LENET5_TEST_WHEELS names."""
    wheels = os.environ.get("LENET5_TEST_WHEELS")
    if not wheels:
        pytest.skip("set LENET5_TEST_WHEELS to a folder with a CPU wheel of torch; else the build fetches CUDA's")
    tag = "lenet5-serve:train-test"
    docker("build", "--quiet", "--target", "train", "--build-context", f"wheels={wheels}", "--tag", tag, ".")
    return tag


@pytest.fixture(scope="session")
def digit(digits: list[bytes]) -> tuple[bytes, int]:
    """MNIST's first training picture as PNG, and the digit that it shows."""
    return digits[0], 5


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """An empty folder that every user may enter, unlike tmp_path: the container's user is another."""
    folder = Path(tempfile.mkdtemp(prefix="lenet5-container-"))
    folder.chmod(0o755)
    yield folder
    shutil.rmtree(folder)


@pytest.fixture
def broken_models(open_folder: Path) -> Path:
    """The shipped models, of which one graph has a byte too many."""
    models = open_folder / "models"
    shutil.copytree(ROOT / "model_weights", models)
    for graph in models.glob("*/*/model.onnx"):
        graph.write_bytes(graph.read_bytes() + b"\0")
    return models


@pytest.fixture
def compose(tmp_path: Path) -> Iterator[Compose]:
    """Compose; whatever it started is gone at the end."""
    run = Compose(tmp_path / "overlay.yml")
    yield run
    run("down", "--volumes")
