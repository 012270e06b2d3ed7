"""The default image: what is in it, and how it serves, stops, hangs and fails to start."""

import http.client
import json
import re
import shutil
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest
from engine import HARDENED, call, docker, running, until

pytestmark = pytest.mark.container

FACTS = """
import importlib.metadata, importlib.util, json, os, shutil
from pathlib import Path
def denied(path):
    try:
        Path(path).write_text("")
    except OSError as error:
        return os.strerror(error.errno)
files = [Path(folder, name) for folder, _, names in os.walk("/", onerror=None) for name in names
         if not folder.startswith(("/proc", "/sys", "/dev"))]
print(json.dumps({
    "written": {path: denied(path) for path in ("/probe", "/opt/lenet5/probe", "/tmp/probe")},
    "tools": [name for name in ("pip", "pip3", "cc", "gcc", "c++", "clang", "ld", "make", "gs") if shutil.which(name)],
    "modules": [name for name in ("pip", "ensurepip", "torch", "setuptools") if importlib.util.find_spec(name)],
    "data": [str(path) for path in files if "ubyte" in path.name or "/training/data/" in str(path)],
    "uncompiled": [str(path) for path in files if path.suffix == ".py" and "/site-packages/" in str(path)
                   and not (path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc").exists()],
    "lends_rights": [str(path) for path in files if not path.is_symlink() and path.lstat().st_mode & 0o6000],
    "weights": [str(path) for path in files if path.name == "model.onnx"],
    "version": importlib.metadata.version("lenet5-serve"),
}))
"""


def test_a_hardened_container_answers_a_real_digit(image: str, digit: tuple[bytes, int], figures: list[str]) -> None:
    """Read-only, as nobody in particular and without capabilities, it answers a request from outside."""
    picture, shown = digit
    before = time.monotonic()
    with running(image) as served:
        served.await_ready()
        seconds = time.monotonic() - before
        answer = call(f"{served.url}/predict", picture)
        facts = served.python(FACTS)
        assert (answer.status, answer.json()["digit"]) == (200, shown)
        assert facts["written"] == {
            "/probe": "Read-only file system",
            "/opt/lenet5/probe": "Read-only file system",
            "/tmp/probe": None,
        }
    size = int(docker("image", "inspect", "--format", "{{.Size}}", image)) / 1e6
    base = int(docker("image", "inspect", "--format", "{{.Size}}", "python:3.11-slim-bookworm")) / 1e6
    figures.append(
        f"image {size:.0f} MB, of which {base:.0f} MB are the base; {seconds:.1f} s from docker run to ready"
    )


def test_nothing_is_inside_that_serving_does_not_need(image: str) -> None:
    """Neither pip, a compiler, Ghostscript, torch nor the training's data, nor a file that lends its owner's rights.

    The weights and bytecode are there.
    """
    with running(image) as served:
        facts = served.python(FACTS)
    assert facts["tools"] == []
    assert facts["modules"] == []
    assert facts["data"] == []
    assert facts["lends_rights"] == []
    assert facts["weights"]
    assert facts["uncompiled"] == []


def test_the_image_says_what_it_is(image: str) -> None:
    """The user is a number, so that a cluster can see it is not root; the stop signal and the OCI labels are set."""
    shown = docker("image", "inspect", "--format", "{{.Config.User}} {{.Config.StopSignal}} {{.Config.Labels}}", image)
    user, signal, labels = shown.split(" ", 2)
    assert user == "10001:10001"
    assert signal == "SIGTERM"
    for name in ("title", "description", "licenses", "version", "revision", "created", "base.name"):
        assert f"org.opencontainers.image.{name}:" in labels
    with running(image) as served:
        assert f"org.opencontainers.image.version:{served.python(FACTS)['version']}" in labels


def test_the_image_lists_what_is_in_it(image: str) -> None:
    """The bill of materials inside is a CycloneDX document of every Python package there, at the version there."""
    installed = (
        "import importlib.metadata as m, json; print(json.dumps([[d.name, d.version] for d in m.distributions()]))"
    )
    with running(image) as served:
        bill = served.python("print(open('/opt/lenet5/sbom.cdx.json').read())")
        there = served.python(installed)
    assert bill["bomFormat"] == "CycloneDX"
    listed = [bill["metadata"]["component"], *bill["components"]]
    assert {(_name(one["name"]), one["version"]) for one in listed} == {
        (_name(name), version) for name, version in there
    }


def _name(name: str) -> str:
    """A distribution's name, however it is spelt."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("init", [False, True])
def test_a_stop_during_a_request_still_gets_its_answer(
    image: str, digit: tuple[bytes, int], workers: int, *, init: bool
) -> None:
    """What was accepted before `docker stop` is answered, and the exit code is 0."""
    picture, shown = digit
    options = ["--env", f"LENET5_WORKERS={workers}", *(["--init"] if init else [])]
    with running(image, *options) as served:
        served.await_ready()
        caller = http.client.HTTPConnection(served.host, served.port, timeout=30)
        with closing(caller):
            caller.putrequest("POST", "/predict")
            for name, value in (("Type", "image/png"), ("Length", str(len(picture)))):
                caller.putheader(f"Content-{name}", value)
            caller.putheader("Expect", "100-continue")
            caller.endheaders()
            assert caller.sock.recv(100).startswith(b"HTTP/1.1 100 ")  # so the request was accepted
            with subprocess.Popen(["docker", "stop", "--time", "25", served.id], stdout=subprocess.DEVNULL) as stop:
                until(lambda: not served.ready(), "not ready after the signal")
                caller.send(picture)
                with caller.getresponse() as answer:
                    assert (answer.status, b'"digit":%d' % shown in answer.read()) == (200, True)
                assert stop.wait() == 0
        assert served.state()["ExitCode"] == 0


def test_a_worker_that_hangs_shows_as_unhealthy(image: str) -> None:
    """A stopped process is unhealthy after the health check's timeout, and healthy again once it goes on."""
    quick = ("--health-interval", "1s", "--health-timeout", "5s", "--health-retries", "1")
    with running(image, *quick) as served:
        until(lambda: served.health() == "healthy", "healthy")
        docker("kill", "--signal", "STOP", served.id)
        until(lambda: served.health() == "unhealthy", "unhealthy")
        docker("kill", "--signal", "CONT", served.id)
        until(lambda: served.health() == "healthy", "healthy again")


@pytest.mark.parametrize("workers", [1, 2])
def test_broken_weights_end_the_start_with_one_line(image: str, broken_models: Path, workers: int) -> None:
    """With mounted weights that are not what their manifest says it exits non-zero, with one line that says so."""
    mounted = ["--volume", f"{broken_models}:/models:ro", "--env", "LENET5_MODEL_DIR=/models"]
    command = ["docker", "run", "--rm", *HARDENED, *mounted, "--env", f"LENET5_WORKERS={workers}", image]
    ended = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == 1
    assert len(ended.stderr.splitlines()) == 1
    assert "model.onnx" in ended.stderr


def test_mounted_weights_are_served(image: str, model_dir: Path, open_folder: Path) -> None:
    """LENET5_MODEL_DIR names a mounted folder, and the models in it are the ones that answer."""
    models = shutil.copytree(model_dir, open_folder / "models")
    models.chmod(0o755)  # not that of a folder made by pytest
    manifest = json.loads((model_dir / "lenet5" / "1" / "manifest.json").read_text())
    options = ("--volume", f"{models}:/models:ro", "--env", "LENET5_MODEL_DIR=/models")
    with running(image, *options) as served:
        served.await_ready()
        (model,) = call(f"{served.url}/models").json()["models"]
        assert model["sha256"] == manifest["sha256"]["model.safetensors"]
