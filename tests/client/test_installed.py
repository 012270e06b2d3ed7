"""The client alone, in an environment of its own: `pytest -m install` makes one with pip, from the index it finds."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from running import Running

ROOT = Path(__file__).parents[2]
MEGABYTE = 1_000_000  # bytes

pytestmark = pytest.mark.install


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fresh virtual environment with `pip install ./client`, and nothing of this one in sight."""
    folder = tmp_path_factory.mktemp("environment")
    subprocess.run([sys.executable, "-m", "venv", folder], check=True)
    install = [folder / "bin" / "pip", "install", "-q", "-c", ROOT / "constraints.txt", ROOT / "client"]
    subprocess.run(install, check=True, env=apart())
    return folder


def apart() -> dict[str, str]:
    """The environment's variables without the path to this project."""
    return {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}


def python(environment: Path, *arguments: str, cwd: Path) -> str:
    """What a program in the environment prints."""
    command = [environment / "bin" / "python", *arguments]
    done = subprocess.run(command, cwd=cwd, env=apart(), capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def show(capsys: pytest.CaptureFixture[str], figure: str) -> None:
    """A measured figure, where who runs the tests sees it."""
    with capsys.disabled():
        print(f"\n{figure}")  # noqa: T201 - it is to be seen


def test_it_brings_little(environment: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under 15 MB, compiled files and all, beside the pip that was there; no torch, no NumPy, no package `app`."""
    (site,) = environment.glob("lib/python*/site-packages")
    brought = [path for path in site.iterdir() if not path.name.startswith(("pip", "setuptools", "pkg_resources"))]
    size = sum(file.stat().st_size for path in brought for file in [path, *path.rglob("*")] if file.is_file())
    show(capsys, f"lenet5-client and all that it brings: {size / MEGABYTE:.1f} MB")
    assert size < 15 * MEGABYTE
    names = {path.name for path in brought}
    assert {"lenet5_client", "httpx", "pydantic", "stamina"} <= names
    assert not {"app", "training", "torch", "numpy", "PIL"} & names
    assert (site / "lenet5_client" / "py.typed").is_file()


def test_importing_it_imports_little(environment: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The types alone need no HTTP client, the client nothing of NumPy, Pillow or torch.

    How long it takes is printed: the best of ten, as a test asserts no time.
    """
    shown = "import sys, json; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    types = json.loads(python(environment, "-c", f"import lenet5_client.schemas; {shown}", cwd=tmp_path))
    assert "httpx" not in types
    everything = json.loads(python(environment, "-c", f"from lenet5_client import Client; {shown}", cwd=tmp_path))
    assert "httpx" in everything
    assert not {"app", "torch", "numpy", "PIL"} & set(everything)
    imported = "from lenet5_client import Client"
    timed = f"import time; start = time.perf_counter(); {imported}; print(time.perf_counter() - start)"
    seconds = min(float(python(environment, "-c", timed, cwd=tmp_path)) for _ in range(10))
    show(capsys, f"{imported}: {seconds:.3f} s, the best of ten")


PROJECT = {
    "app/__init__.py": '"""A package of the user\'s own."""\n',
    "app/names.py": 'OWN = "the user\'s"\n',
    "app/post.py": '''\
"""Sorts letters."""

import asyncio
import io
import sys
from collections.abc import Iterator
from pathlib import Path

from lenet5_client import AsyncClient, Client, Lenet5Error
from lenet5_client.errors import QueueFull, Unavailable
from lenet5_client.options import FieldOptions
from lenet5_client.schemas import Health, ModelInfo, Prediction, ReadResponse

from app.names import OWN


def told(done: int, total: int | None) -> None:
    assert total is None or done <= total


def files(folder: Path) -> Iterator[Path]:
    yield from folder.glob("*.png")


def sort(url: str, folder: Path) -> list[str]:
    with Client(url, api_key="key", headers={"X-Caller": OWN}, timeout=60, attempts=3, concurrency=2) as client:
        health: Health = client.health()
        models: list[ModelInfo] = client.models()
        digit: Prediction = client.predict((folder / "7.png").read_bytes(), threshold=0.5, model="lenet5")
        with (folder / "7.png").open("rb") as file:
            assert client.predict(file) == client.predict(str(folder / "7.png"), threshold=None)
        assert client.predict(io.BytesIO((folder / "7.png").read_bytes())).digit == digit.digit
        zip_code: FieldOptions = {"kind": "postal_code", "country": "US"}
        try:
            field: ReadResponse = client.read(folder / "zip.png", **zip_code, allowed=["85615", "10001"])
        except QueueFull as error:
            assert error.retry_after is not None
            raise
        many: list[ReadResponse | Lenet5Error] = client.read_many(files(folder), each=None, progress=told, **zip_code)
        return [health.status, models[0].name, str(digit.digit), field.text, str(len(many))]


async def count(url: str, folder: Path) -> int:
    async with AsyncClient(url) as client:
        try:
            found = await client.predict_many([folder / "7.png", b"nothing"], target_error=0.01)
        except Unavailable:
            return 0
    return sum(isinstance(one, Prediction) for one in found)


if __name__ == "__main__":
    print(*sort(sys.argv[1], Path(sys.argv[2])), asyncio.run(count(sys.argv[1], Path(sys.argv[2]))))
''',
    "app/wrong.py": """\
from lenet5_client import Client

client = Client()
client.predict(7)
client.predict(b"", treshold=0.5)
client.read(b"", kind="zip")
client.predict_many(b"").digit
client.predict(b"").digits
""",
    "app/arrays.py": """\
import numpy as np
from lenet5_client import Client
from PIL import Image

with Client() as client:
    client.predict(np.zeros((28, 28), np.uint8))
    client.predict(Image.new("L", (28, 28)))
    client.predict_many([np.zeros((28, 28), np.uint8), Image.new("L", (28, 28)), b"", "7.png"])
    client.predict_many(np.zeros((5, 28, 28), np.uint8))
""",
}


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's project, which has a package `app` itself."""
    folder = tmp_path_factory.mktemp("project")
    for name, text in PROJECT.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder


def checked(environment: Path, project: Path, name: str) -> subprocess.CompletedProcess[str]:
    """mypy's word on a file, by the types of the environment."""
    command = [sys.executable, "-m", "mypy", "--strict", "--python-executable", environment / "bin" / "python", name]
    return subprocess.run(command, cwd=project, env=apart(), capture_output=True, text=True, check=False, timeout=300)


def test_a_project_with_an_app_of_its_own_is_served(environment: Path, project: Path, service: Running) -> None:
    """Its `app` stays its own, and the calls answer."""
    examples = str(ROOT / "examples")
    printed = python(environment, "-m", "app.post", service.url, examples, cwd=project)
    assert printed == "ready lenet5 7 85615 2 1\n"


def test_a_project_is_checked_strictly(environment: Path, project: Path) -> None:
    """What is right passes mypy --strict; each line that is wrong is found, and no other."""
    right = checked(environment, project, "app/post.py")
    assert right.returncode == 0, right.stdout
    wrong = checked(environment, project, "app/wrong.py")
    lines = {int(line.split(":")[1]) for line in wrong.stdout.splitlines() if ": error:" in line}
    assert lines == {4, 5, 6, 7, 8}, wrong.stdout


def test_arrays_and_images_are_pictures_to_a_checker(environment: Path, project: Path) -> None:
    """By the types that NumPy and Pillow come with."""
    install: list[Any] = [environment / "bin" / "pip", "install", "-q", "-c", ROOT / "constraints.txt"]
    subprocess.run([*install, "numpy", "pillow"], check=True, env=apart())
    done = checked(environment, project, "app/arrays.py")
    assert done.returncode == 0, done.stdout
