"""LeNet-5 with all that is affine folded into the weights beside it: the same function in fewer steps, for a CPU.

The input's scale and offset go into C1; the activation's slope into the layer before it; its amplitude and the
coefficients and biases of S2 and S4 into the layer after them. C5, whose kernels cover all of S4, becomes a product.

    us at batch 1 / 64, onnxruntime 1.32, one core of an EPYC with AVX-512     relu (lenet5:2)   scaled tanh (lenet5:1)
    as the network is written                                                      34 / 1401               47 / 1990
    folded                                                                         29 / 1259               34 / 1492
    and S2 as a product, see `Mean`                                                25 /  942               29 / 1176
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.lenet.architecture import Architecture
from app.lenet.model import EuclideanRBF, LeNet5, Subsampling, TableConvolution


class Affine(nn.Module):
    """x * scale + shift of each map, in float64: what waits for a layer to be folded into."""

    scale: Tensor
    shift: Tensor

    def __init__(self, scale: Tensor, shift: Tensor) -> None:
        super().__init__()
        self.register_buffer("scale", scale.double())  # (maps,)
        self.register_buffer("shift", shift.double())  # (maps,)

    def forward(self, x: Tensor) -> Tensor:
        """(n, maps) or (n, maps, h, w) -> the same shape."""
        shape = (-1, *(1 for _ in x.shape[2:]))
        return x * self.scale.to(x.dtype).view(shape) + self.shift.to(x.dtype).view(shape)


class Mean(nn.Module):
    """The mean over 2x2 pixels as a matrix product: two rows lie side by side in memory and give one.

    onnxruntime's AveragePool takes 0.40 ms for the S2 of 64 pictures, a third of the pass, this 0.08. S4's is quick:
    its 16 maps, unlike six, come in the blocks that the convolution beside it works on.
    """

    quarters: Tensor

    def __init__(self, side: int) -> None:
        super().__init__()
        self.side = side  # pixels, an even number
        columns = torch.arange(2 * side) % side // 2  # where each pixel of the two rows goes
        self.register_buffer("quarters", F.one_hot(columns, side // 2) / 4)  # (2 side, side / 2)

    def forward(self, x: Tensor) -> Tensor:
        """(n, maps, side, side) -> (n, maps, side / 2, side / 2)."""
        return x.reshape(-1, x.shape[1], self.side // 2, 2 * self.side) @ self.quarters


@torch.no_grad()
def folded(model: LeNet5) -> nn.Module:
    """The same network, float32 (n, 1, 32, 32) to logits, as a chain of its own; its weights are copies."""
    arch, weights = model.architecture, model.state_dict()
    squash, slope, amplitude = _activation(arch)
    c3 = model.c3.kernels() if isinstance(model.c3, TableConvolution) else model.c3.weight
    steps: list[nn.Module] = []
    waiting = _uniform(1, arch.input_scale, arch.input_offset)
    for name, kernels, subsampling in (("c1", model.c1.weight, model.s2), ("c3", c3, model.s4)):
        steps.append(_convolution(kernels, weights[name + ".bias"], waiting, slope))
        steps += [squash, _pool(subsampling, first=name == "c1")]
        waiting = _uniform(len(kernels), amplitude)
        if subsampling.trainable:
            waiting = Affine(amplitude * subsampling.coefficient.flatten(), subsampling.bias.flatten())
        if arch.squash_subsampling:
            steps += [Affine(waiting.scale * slope, waiting.shift * slope), squash]
            waiting = _uniform(len(kernels), amplitude)
    steps.append(nn.Flatten())
    for name in ("c5", "f6"):
        weight = weights[name + ".weight"]
        steps += [_product(weight, weights[name + ".bias"], waiting, slope), squash]
        waiting = _uniform(len(weight), amplitude)
    if isinstance(model.output, EuclideanRBF):
        steps += [waiting, model.output]
    else:
        steps.append(_product(weights["output.weight"], weights["output.bias"], waiting, 1.0))
    return nn.Sequential(*steps)


def _activation(arch: Architecture) -> tuple[nn.Module, float, float]:
    """f, S and A of the activation A f(Sx), with A not negative: what has no sign goes past a maximum."""
    if arch.activation == "relu":
        return nn.ReLU(), 1.0, 1.0
    if arch.activation == "sigmoid":
        return nn.Sigmoid(), 1.0, 1.0
    if arch.activation == "tanh":
        return nn.Tanh(), 1.0, 1.0
    return nn.Tanh(), math.copysign(1.0, arch.amplitude) * arch.slope, abs(arch.amplitude)


def _uniform(maps: int, scale: float, shift: float = 0.0) -> Affine:
    return Affine(torch.full((maps,), scale, dtype=torch.float64), torch.full((maps,), shift, dtype=torch.float64))


def _pool(subsampling: Subsampling, *, first: bool) -> nn.Module:
    kernel, stride = subsampling.kernel, subsampling.stride
    if subsampling.pool is F.max_pool2d:
        return nn.MaxPool2d(kernel, stride)
    return Mean(28) if first and kernel == stride == 2 else nn.AvgPool2d(kernel, stride)


def _fold(weight: Tensor, bias: Tensor, before: Affine, after: float) -> tuple[Tensor, Tensor]:
    """A layer's weight (out, maps, ...) and bias between what comes before it, map by map, and a factor after it."""
    by_map = weight.double().reshape(len(weight), len(before.scale), -1)  # out x maps x weights of each
    shifted = bias.double() + by_map.sum(2) @ before.shift
    scaled = (by_map * before.scale.view(1, -1, 1)).reshape(weight.shape)
    return (scaled * after).float(), (shifted * after).float()


def _convolution(weight: Tensor, bias: Tensor, before: Affine, after: float) -> nn.Module:
    layer = nn.Conv2d(weight.shape[1], len(weight), weight.shape[2])
    folded_weight, folded_bias = _fold(weight, bias, before, after)
    layer.load_state_dict({"weight": folded_weight, "bias": folded_bias})
    return layer


def _product(weight: Tensor, bias: Tensor, before: Affine, after: float) -> nn.Module:
    layer = nn.Linear(weight[0].numel(), len(weight))
    folded_weight, folded_bias = _fold(weight, bias, before, after)
    layer.load_state_dict({"weight": folded_weight.flatten(1), "bias": folded_bias})
    return layer
