"""A service with the weights that come with it, and what may stand between it and a client."""

import os
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from faults import Answering, Proxy
from lenet5_client import Client
from running import Running, command

from app.lenet.registry import default_model_dir


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out the tests that need a package index, unless the command line's -m speaks of them."""
    if "install" in config.option.markexpr:
        return
    ours = [item for item in items if item.get_closest_marker("install")]
    if ours:
        config.hook.pytest_deselected(items=ours)
        items[:] = [item for item in items if item not in ours]


@pytest.fixture(scope="session")
def models(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The default models that come with the service, and no others."""
    folder = tmp_path_factory.mktemp("shipped")
    for name in ("lenet5", "lenet5-field"):
        (folder / name).symlink_to(default_model_dir() / name)
    return folder


@pytest.fixture(scope="session")
def service(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that takes at most 20 pictures a batch, and 300,000 bytes of them."""
    log = tmp_path_factory.mktemp("log") / "log"
    limits = ["--max-batch-pictures", "20", "--max-batch-body-bytes", "300000"]
    with (
        log.open("w") as out,
        subprocess.Popen(
            command("--model-dir", str(models), *limits), env=os.environ, stdout=out, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            process.terminate()


@pytest.fixture
def client(service: Running) -> Iterator[Client]:
    """A client of the service itself."""
    with Client(service.url, timeout=120) as connected:
        yield connected


@pytest.fixture
def proxy(service: Running) -> Iterator[Callable[..., Proxy]]:
    """`proxy("reset", "pass")`: what becomes of the first connection to the service, the second, and so on."""
    with ExitStack() as stack:
        yield lambda *faults: stack.enter_context(Proxy(service.port, faults))


@pytest.fixture
def answering() -> Iterator[Callable[..., Answering]]:
    """`answering((status, headers, body), ...)`: a server that answers so, the last for ever."""
    with ExitStack() as stack:
        yield lambda *answers: stack.enter_context(Answering(answers))
