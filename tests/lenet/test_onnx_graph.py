"""app.lenet.onnx_graph: the graph that a CPU serves is the model."""

from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from app.lenet.onnx_graph import onnx_bytes

ARCHITECTURES = {
    "linear": Architecture().with_standardised_input(0.13, 0.31),
    "rbf": Architecture(c3="table1", output="rbf", squash_subsampling=True, num_classes=4).with_paper_input(),
    "relu-max": Architecture(activation="relu", subsampling="max", num_classes=11),
    "negative-max": Architecture(amplitude=-1.2, slope=-0.9, subsampling="max", squash_subsampling=True),
    "sigmoid-mean": Architecture(activation="sigmoid", subsampling="mean", pool_kernel=3, pool_stride=2),
    "tanh": Architecture(activation="tanh", squash_subsampling=True, subsampling_coefficient=2.0),
}


@pytest.fixture(scope="module", params=ARCHITECTURES)
def model(request: pytest.FixtureRequest) -> LeNet5:
    torch.manual_seed(1)
    model = LeNet5.from_architecture(ARCHITECTURES[request.param])
    for parameter in model.parameters():  # biases and coefficients as training leaves them, each its own
        parameter.data += 0.1 * torch.randn_like(parameter)
    return model


@pytest.fixture(scope="module")
def graph(model: LeNet5) -> bytes:
    return onnx_bytes(model)


def test_takes_any_number_of_pictures(model: LeNet5, graph: bytes) -> None:
    """For 0, 1, 2 and many pictures the graph gives the model's logits, to 1e-5 or float32's own rounding."""
    session = onnxruntime.InferenceSession(graph)
    for n in (0, 1, 2, 3, 64):
        x = np.random.default_rng(n).random((n, 1, 32, 32), np.float32)
        (logits,) = session.run(["logits"], {"input": x})
        # RBF logits are around -100, where float32 has steps of 8e-6.
        np.testing.assert_allclose(logits, model(torch.from_numpy(x)).detach().numpy(), atol=1e-5, rtol=1e-6)


def test_is_plain_onnx_of_a_free_batch_dimension(graph: bytes) -> None:
    """The checker passes it; its batch dimension has a name and no number; its operators are ONNX's own."""
    proto = onnx.load_from_string(graph)
    onnx.checker.check_model(proto, full_check=True)
    shape = proto.graph.input[0].type.tensor_type.shape.dim
    assert (shape[0].dim_param, [dim.dim_value for dim in shape[1:]]) == ("n", [1, 32, 32])
    assert {node.domain for node in proto.graph.node} == {""}


def test_holds_no_trace_of_the_machine(graph: bytes) -> None:
    """No path of the machine that exported it, and no line of source, is in the file."""
    assert str(Path(__file__).parents[2]).encode() not in graph
    assert b".py" not in graph


def test_export_leaves_the_model_alone(model: LeNet5, graph: bytes) -> None:
    """Exporting twice gives the same bytes, and a model in training mode stays in it."""
    model.train()
    before: dict[str, Any] = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    assert onnx_bytes(model) == graph
    assert model.training
    assert all(torch.equal(tensor, before[name]) for name, tensor in model.state_dict().items())
