"""Two real models, untrained, as folders: the baseline's architecture and the paper's."""

from pathlib import Path

import pytest
import torch

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from app.lenet.onnx_graph import onnx_bytes
from app.lenet.weights import write_model

ARCHITECTURES = {
    "baseline": Architecture().with_standardised_input(0.13, 0.31),
    "paper": Architecture(c3="table1", output="rbf", squash_subsampling=True).with_paper_input(),
}


@pytest.fixture(scope="session", params=ARCHITECTURES)
def model_folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """NAME/VERSION/ of a model that a backend can open."""
    torch.manual_seed(2)
    model = LeNet5.from_architecture(ARCHITECTURES[request.param])
    with torch.no_grad():
        for parameter in model.parameters():  # biases and coefficients are all alike at first: a mix-up would not show
            parameter.add_(torch.randn_like(parameter), alpha=0.01)
    folder: Path = tmp_path_factory.mktemp("models") / request.param / "1"
    write_model(
        folder,
        {"model.safetensors": model.to_safetensors(), "model.onnx": onnx_bytes(model)},
        {
            "task": "digit",
            "created": "2026-01-02T03:04:05+00:00",
            "architecture": model.architecture.to_dict(),
            "threshold": 0.0,
            "metrics": {},
            "training": {},
            "data": {},
            "versions": {},
        },
    )
    return folder
