"""Two models that differ in every answer, to tell by an answer which of them gave it."""

import shutil
from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper

from app.imaging import INPUT_SHAPE
from app.lenet.model import LeNet5
from app.lenet.weights import write_model


def constant_network(digit: int, num_classes: int) -> LeNet5:
    """The same as a network: all its weights are zero but the bias of that output."""
    network = LeNet5(num_classes=num_classes).requires_grad_(False)
    for weights in network.parameters():
        weights.zero_()
    network.get_parameter("output.bias")[digit] = 20
    return network


def constant_graph(digit: int) -> bytes:
    """A graph that says `digit` of every picture."""
    logits = np.zeros((1, 10), np.float32)
    logits[0, digit] = 20
    nodes = [
        helper.make_node("ReduceSum", ["images", "axes"], ["ink"], keepdims=0),  # (n,)
        helper.make_node("Mul", ["ink", "zero"], ["none"]),
        helper.make_node("Unsqueeze", ["none", "last"], ["column"]),  # (n, 1)
        helper.make_node("Add", ["column", "answer"], ["logits"]),  # (n, 10)
    ]
    constants = [
        helper.make_tensor("axes", TensorProto.INT64, [3], [1, 2, 3]),
        helper.make_tensor("zero", TensorProto.FLOAT, [], [0.0]),
        helper.make_tensor("last", TensorProto.INT64, [1], [1]),
        helper.make_tensor("answer", TensorProto.FLOAT, [1, 10], logits.ravel().tolist()),
    ]
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, ["n", *INPUT_SHAPE])],
        [helper.make_tensor_value_info("logits", TensorProto.FLOAT, ["n", 10])],
        constants,
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    content: bytes = model.SerializeToString()
    return content


def write_constant(
    model_dir: Path, version: int, digit: int, *, graph: bytes | None = None, num_classes: int = 10
) -> Path:
    """Lay lenet5:version down, which says `digit` of every picture, atomically; returns its folder.

    `graph` and `num_classes` make a model that is whole and yet cannot be served.
    """
    folder = model_dir / "lenet5" / str(version)
    network = constant_network(digit, num_classes)
    files = {"model.safetensors": network.to_safetensors(), "model.onnx": graph or constant_graph(digit)}
    write_model(
        folder,
        files,
        {
            "task": "digit",
            "created": "2026-01-01T00:00:00+00:00",
            "architecture": network.architecture.to_dict(),
            "threshold": 0.0,
            "metrics": {},
            "training": {},
            "data": {},
            "versions": {},
        },
    )
    return folder


def remove(folder: Path) -> None:
    """Take a version away: first its name, so that nobody sees it half gone."""
    aside = folder.rename(folder.parent / f".{folder.name}.old")
    shutil.rmtree(aside)
