"""The network that reads lines as an ONNX graph: what is served."""

import copy
from typing import Final

import torch
from torch import nn

from app.lenet.onnx_graph import exported
from training.fields.line_model import LineNetwork

INPUT_NAME: Final = "strip"
OUTPUT_NAME: Final = "log_probabilities"


def line_onnx_bytes(model: LineNetwork) -> bytes:
    """The content of a `line.onnx`: `strip`, float32 (1, 1, 32, w), w even, to `log_probabilities`, (1, w / 2, 11)."""
    even = torch.export.Dim("steps", min=4, max=4096)
    network: nn.Module = copy.deepcopy(model).cpu().eval()
    return exported(network, torch.zeros(1, 1, 32, 64), {3: 2 * even}, INPUT_NAME, OUTPUT_NAME)
