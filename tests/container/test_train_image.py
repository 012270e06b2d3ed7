"""The image for training; apart, since its build takes minutes."""

import json
import os
from pathlib import Path

import pytest
from engine import HARDENED, docker

pytestmark = pytest.mark.container


def test_a_model_is_trained_into_the_mounted_folder(train_image: str, open_folder: Path, figures: list[str]) -> None:
    """The owner of the mounted folder trains offline in a read-only container, and the model is theirs."""
    owner = 12345
    models = open_folder / "model_weights"
    models.mkdir()
    os.chown(models, owner, owner)
    options = (*HARDENED, "--user", f"{owner}:{owner}", "--network", "none", "--volume", "/lenet5/runs")
    command = ("train", "training/configs/tiny.toml", "--output", "model_weights", "--device", "cpu")
    docker("run", "--rm", *options, "--volume", f"{models}:/lenet5/model_weights", train_image, *command)
    manifest = models / "lenet5-tiny" / "1" / "manifest.json"
    assert json.loads(manifest.read_text())["task"] == "digit"
    assert manifest.stat().st_uid == owner
    size = int(docker("image", "inspect", "--format", "{{.Size}}", train_image)) / 1e6
    figures.append(f"training image, with a CPU build of torch: {size:.0f} MB")
