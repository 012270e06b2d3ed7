"""docker-compose.yml as a user runs it, on the image of these tests."""

from pathlib import Path

import pytest
from compose import Compose
from engine import call, container

pytestmark = pytest.mark.container


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
