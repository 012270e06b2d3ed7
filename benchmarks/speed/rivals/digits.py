"""What the rivals share: our network in eager torch, and a tutorial's way from a PNG to its input."""

import argparse
import io
from typing import Any

import numpy as np
import torch
from PIL import Image

from app.lenet.model import LeNet5, load
from app.lenet.registry import Registry, default_model_dir

Answer = dict[str, Any]
"""What each of them answers: `digit`, and ten `probabilities`."""


def port() -> int:
    """The port of the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    number: int = parser.parse_args().port
    return number


def network() -> LeNet5:
    """The default model of digits."""
    torch.set_num_threads(1)
    return load(Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder)


def pixels(png: bytes) -> torch.Tensor:
    """An encoded picture as float32 (1, 32, 32), 0..1: of 28 x 28 pixels, in a margin of ground."""
    image = Image.open(io.BytesIO(png)).convert("L")
    if image.size != (28, 28):
        image = image.resize((28, 28))
    array = np.pad(np.asarray(image, np.float32) / 255, 2)
    return torch.from_numpy(array)[None]


@torch.inference_mode()
def predict(model: LeNet5, batch: list[torch.Tensor]) -> list[Answer]:
    """One forward pass over inputs (1, 32, 32). The network's eleventh output, no digit, is left out."""
    probabilities = model(torch.stack(batch))[:, :10].softmax(1)
    digits = probabilities.argmax(1).tolist()
    return [{"digit": d, "probabilities": p} for d, p in zip(digits, probabilities.tolist(), strict=True)]
