"""LeNet-5 as an ONNX graph: what a CPU serves, and the only place where it is made."""

import copy
import logging
import warnings
from collections.abc import Mapping
from typing import Any, Final

import torch
from torch import Tensor, nn

from app.lenet.folded import folded
from app.lenet.model import LeNet5

INPUT_NAME: Final = "input"
OUTPUT_NAME: Final = "logits"


def onnx_bytes(model: LeNet5) -> bytes:
    """The content of a `model.onnx`: `input`, float32 (n, 1, 32, 32), to `logits`, float32 (n, num_classes), any n.

    What is affine is folded into the weights, see `app.lenet.folded`. Needs onnx and onnxscript.
    """
    chain = folded(copy.deepcopy(model).cpu()).eval()
    example = torch.zeros(2, 1, 32, 32)  # two pictures: some versions of torch take a size of 1 for a constant
    return exported(chain, example, {0: torch.export.Dim("n")}, INPUT_NAME, OUTPUT_NAME)


def exported(network: nn.Module, example: Tensor, dynamic: Mapping[int, Any], source: str, target: str) -> bytes:
    """A network of one input and one output as a graph, with those names; `dynamic` are the input's free dimensions.

    The graph holds no trace of the machine that made it.
    """
    registry_log = logging.getLogger("torch.onnx._internal.exporter._registration")
    level = registry_log.level
    registry_log.setLevel(logging.ERROR)  # it warns four times that torchvision, which nobody needs here, is missing
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # torch 2.13's exporter calls what torch 2.13 deprecates
        program = torch.onnx.export(
            network,
            (example,),
            dynamo=True,
            input_names=[source],
            output_names=[target],
            dynamic_shapes=(dict(dynamic),),
            verbose=False,
        )
    registry_log.setLevel(level)
    if program is None:  # never with dynamo=True, but so says its type
        raise RuntimeError("torch.onnx.export made no program")
    graph = program.model_proto
    for item in (*graph.graph.node, *graph.graph.value_info, graph.graph, graph):
        item.ClearField("metadata_props")  # stack traces with the paths of this machine
        item.ClearField("doc_string")
    content: bytes = graph.SerializeToString(deterministic=True)
    return content
