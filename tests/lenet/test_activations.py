"""app.lenet.activations: what each layer gives is what it gives where the network is trained and served."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from app.errors import ManifestInvalid
from app.lenet.activations import Network
from app.lenet.architecture import TABLE_I, Architecture
from app.lenet.model import LeNet5, load
from app.lenet.registry import default_model_dir
from app.lenet.weights import write_model
from app.runtime import open_backend

ARCHITECTURES = {
    "linear": Architecture().with_standardised_input(0.13, 0.31),
    "rbf": Architecture(c3="table1", output="rbf", squash_subsampling=True).with_paper_input(),
    "relu-max": Architecture(activation="relu", subsampling="max", num_classes=11),
    "sigmoid-mean": Architecture(activation="sigmoid", subsampling="mean", pool_kernel=3, pool_stride=2),
    "tanh": Architecture(activation="tanh", squash_subsampling=True, subsampling_coefficient=2.0),
}
SHAPES = {
    "INPUT": (3, 1, 32, 32),
    "C1": (3, 6, 28, 28),
    "S2": (3, 6, 14, 14),
    "C3": (3, 16, 10, 10),
    "S4": (3, 16, 5, 5),
    "C5": (3, 120),
    "F6": (3, 84),
    "OUTPUT": (3, 10),
}


@pytest.fixture
def inputs() -> np.ndarray:
    return np.random.default_rng(0).random((3, 1, 32, 32), np.float32)


def written(model: LeNet5, arch: Architecture, folder: Path, fields: dict[str, Any]) -> Path:
    """A model's folder that says it has this architecture."""
    files = {"model.safetensors": model.to_safetensors(), "model.onnx": b"graph"}
    write_model(folder / "digits" / "1", files, {**fields, "architecture": arch.to_dict()})
    return folder / "digits" / "1"


def of_torch(model: LeNet5, inputs: np.ndarray) -> dict[str, np.ndarray]:
    """What the layers of the model give, listened to as it runs.

    The activation is one module that is called again and again: after C1, after S2 where it is squashed, and so on.
    """
    arch = model.architecture
    squashed: list[torch.Tensor] = []
    plain: dict[str, torch.Tensor] = {}
    model.squash.register_forward_hook(lambda _module, _args, out: squashed.append(out))
    for name in ("s2", "s4"):
        getattr(model, name).register_forward_hook(lambda _m, _a, out, name=name: plain.update({name: out}))
    model.c1.register_forward_hook(lambda _module, args, _out: plain.update({"input": args[0]}))
    with torch.no_grad():
        output = model.eval()(torch.from_numpy(inputs))
    after = iter(squashed)
    given = {"INPUT": plain["input"], "C1": next(after)}
    given["S2"] = next(after) if arch.squash_subsampling else plain["s2"]
    given["C3"] = next(after)
    given["S4"] = next(after) if arch.squash_subsampling else plain["s4"]
    given |= {"C5": next(after).flatten(1), "F6": next(after), "OUTPUT": output}
    return {name: tensor.numpy() for name, tensor in given.items()}


@pytest.mark.parametrize("kind", ARCHITECTURES)
def test_every_layer_gives_what_torch_gives(
    kind: str, inputs: np.ndarray, tmp_path: Path, manifest_fields: dict[str, Any]
) -> None:
    """For all kinds of networks each layer agrees with the same layer of the model that is trained."""
    torch.manual_seed(1)
    model = LeNet5.from_architecture(ARCHITECTURES[kind])
    for parameter in model.parameters():  # biases and coefficients as training leaves them, each its own
        parameter.data += 0.1 * torch.randn_like(parameter)
    given = Network.load(written(model, model.architecture, tmp_path, manifest_fields)).activations(inputs)
    expected = of_torch(model, inputs)
    assert list(given) == list(expected)
    for name, values in given.items():
        assert values.dtype == np.float32
        np.testing.assert_allclose(values, expected[name], atol=2e-5, rtol=2e-6, err_msg=name)


@pytest.mark.parametrize("folder", ["lenet5/2", "lenet5/1", "lenet5-1998/2"])
def test_a_shipped_model_is_shown_as_it_is_served(folder: str, inputs: np.ndarray) -> None:
    """A shipped model's outputs are those of the backend that serves it, and its layers those of torch."""
    path = default_model_dir() / folder
    given = Network.load(path).activations(inputs)
    served = open_backend(path, device="cpu", max_batch_size=4).infer(inputs)
    np.testing.assert_allclose(given["OUTPUT"], served, atol=1e-4, rtol=1e-5)
    for name, expected in of_torch(load(path), inputs).items():
        np.testing.assert_allclose(given[name], expected, atol=1e-4, rtol=1e-5, err_msg=name)
    classes = given["OUTPUT"].shape[1]
    assert {name: values.shape for name, values in given.items()} == SHAPES | {"OUTPUT": (3, classes)}


def test_connections_are_those_that_have_weights(tmp_path: Path, manifest_fields: dict[str, Any]) -> None:
    """A kernel of C3 that the table has no connection for is 0, every other is not; a full C3 has all."""
    torch.manual_seed(0)
    paper = LeNet5(c3="table1")
    network = Network.load(written(paper, paper.architecture, tmp_path, manifest_fields))
    there = network.weights["c3.weight"].any(axis=(2, 3))  # (16, 6)
    assert [set(np.flatnonzero(row).tolist()) for row in there] == [set(maps) for maps in TABLE_I]
    assert network.connections == TABLE_I
    full = LeNet5()
    network = Network.load(written(full, full.architecture, tmp_path / "full", manifest_fields))
    assert network.connections == ((0, 1, 2, 3, 4, 5),) * 16


def test_weights_that_do_not_fit_are_refused(tmp_path: Path, manifest_fields: dict[str, Any]) -> None:
    """A manifest that tells of another architecture than the weights have is ManifestInvalid, in one sentence."""
    folder = written(LeNet5(c3="full"), Architecture(c3="table1"), tmp_path, manifest_fields)
    with pytest.raises(ManifestInvalid, match="do not fit"):
        Network.load(folder)
