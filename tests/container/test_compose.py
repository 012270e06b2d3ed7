"""docker-compose.yml as a user runs it, on the image of these tests."""

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from engine import ROOT, call, container, docker

pytestmark = pytest.mark.container

PROJECT = "lenet5-compose-test"


class Compose:
    """The project's compose file with an overlay for one test."""

    def __init__(self, overlay: Path) -> None:
        self._overlay = overlay

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        files = ["-f", str(ROOT / "docker-compose.yml"), "-f", str(self._overlay)]
        command = ["docker", "compose", "-p", PROJECT, *files, *arguments]
        published = os.environ | {"LENET5_PUBLISH": "127.0.0.1:0"}
        return subprocess.run(command, capture_output=True, text=True, check=False, env=published, timeout=120)

    def overlay(self, **service: object) -> None:
        """Add to the service."""
        self._overlay.write_text(json.dumps({"services": {"lenet5": service}}))  # YAML reads JSON


@pytest.fixture
def compose(tmp_path: Path) -> Iterator[Compose]:
    """Compose; whatever it started is gone at the end."""
    run = Compose(tmp_path / "overlay.yml")
    yield run
    run("down", "--volumes")


def test_up_waits_until_it_answers(compose: Compose, image: str, digit: tuple[bytes, int]) -> None:
    """`docker compose up --wait` returns once the service is ready, on the address that LENET5_PUBLISH names."""
    compose.overlay(image=image)
    up = compose("up", "--wait", "--detach", "--no-build")
    assert up.returncode == 0, up.stderr
    served = container(compose("ps", "--quiet", "lenet5").stdout.strip())
    assert served.host == "127.0.0.1"
    assert call(f"{served.url}/predict", digit[0]).json()["digit"] == digit[1]
    compose("stop")
    assert served.state()["ExitCode"] == 0


def test_up_fails_with_broken_weights(compose: Compose, image: str, broken_models: Path) -> None:
    """`docker compose up --wait` exits non-zero when the service can't start, whatever the restart policy tries."""
    compose.overlay(image=image, environment={"LENET5_MODEL_DIR": "/models"}, volumes=[f"{broken_models}:/models:ro"])
    assert compose("up", "--wait", "--detach", "--no-build").returncode != 0
    lines = set(compose("logs", "--no-log-prefix", "--no-color").stdout.splitlines())
    assert len(lines) == 1, lines
    assert "model.onnx" in lines.pop()


def test_the_service_is_confined(compose: Compose, image: str) -> None:
    """The running service has a read-only root, no capability, and limits on memory, swap and processes."""
    compose.overlay(image=image)
    assert compose("up", "--wait", "--detach", "--no-build").returncode == 0
    service = compose("ps", "--quiet", "lenet5").stdout.strip()
    host = json.loads(docker("inspect", "--format", "{{json .HostConfig}}", service))
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["SecurityOpt"] == ["no-new-privileges:true"]
    assert host["Memory"] == host["MemorySwap"] > 0
    assert host["PidsLimit"] > 0
    assert host["LogConfig"]["Config"]["max-size"]
