"""The default image: what is in it, and how it serves, stops, hangs and fails to start."""

import http.client
import json
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
status = dict(line.split(":\\t", 1) for line in Path("/proc/1/status").read_text().splitlines() if ":\\t" in line)
files = [Path(folder, name) for folder, _, names in os.walk("/", onerror=None) for name in names
         if not folder.startswith(("/proc", "/sys", "/dev"))]
print(json.dumps({
    "uid": int(status["Uid"].split()[0]),
    "capabilities": [int(status[name], 16) for name in ("CapEff", "CapPrm", "CapBnd")],
    "no_new_privileges": int(status["NoNewPrivs"]),
    "written": {path: denied(path) for path in ("/probe", "/opt/lenet5/probe", "/tmp/probe")},
    "tools": [name for name in ("pip", "pip3", "cc", "gcc", "c++", "clang", "ld", "make") if shutil.which(name)],
    "modules": [name for name in ("pip", "ensurepip", "torch", "setuptools") if importlib.util.find_spec(name)],
    "data": [str(path) for path in files if "ubyte" in path.name or "/training/data/" in str(path)],
    "uncompiled": [str(path) for path in files if path.suffix == ".py" and "/site-packages/" in str(path)
                   and not (path.parent / "__pycache__" / f"{path.stem}.cpython-311.pyc").exists()],
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
        assert facts["uid"] != 0
        assert facts["capabilities"] == [0, 0, 0]
        assert facts["no_new_privileges"] == 1
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
    """Neither pip, a compiler, torch nor the training's data are in the image; the weights and bytecode are."""
    with running(image) as served:
        facts = served.python(FACTS)
    assert facts["tools"] == []
    assert facts["modules"] == []
    assert facts["data"] == []
    assert facts["weights"]
    assert facts["uncompiled"] == []


def test_the_image_says_what_it_is(image: str) -> None:
    """The user is a number, so that a cluster can see it is not root; the stop signal and the OCI labels are set."""
    shown = docker("image", "inspect", "--format", "{{.Config.User}} {{.Config.StopSignal}} {{.Config.Labels}}", image)
    user, signal, labels = shown.split(" ", 2)
    assert user == "10001:10001"
    assert signal == "SIGTERM"
    for name in ("title", "description", "licenses"):
        assert f"org.opencontainers.image.{name}:" in labels


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
