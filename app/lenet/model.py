"""LeNet-5: C1 S2 C3 S4 C5 F6 OUTPUT.

Trainable parameters with ten classes (a trained coefficient and bias for every map of S2 and S4):

                                C1   S2     C3   S4      C5      F6  OUTPUT    all
    full C3, linear output     156   12  2,416   32  48,120  10,164     850  61,750
    Table I, RBF output        156   12  1,516   32  48,120  10,164       0  60,000   (the paper's own network)
"""

from pathlib import Path
from typing import Any, Literal, Self

import torch
from safetensors.numpy import save
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.errors import ManifestInvalid
from app.lenet.architecture import TABLE_I, Architecture
from app.lenet.bitmaps import bitmaps
from app.lenet.weights import load_tensors, verify

InitialWeights = Literal["fan_in", "paper"]
"""How `initialise` draws: +-sqrt(3 / fan-in), or the paper's +-2.4 / fan-in."""


class Squash(nn.Module):
    """The activation: A tanh(Sx), tanh(x), the logistic sigmoid, or max(0, x)."""

    def __init__(self, arch: Architecture) -> None:
        super().__init__()
        self.activation = arch.activation
        scaled = arch.activation == "scaled_tanh"
        self.amplitude = arch.amplitude if scaled else 1.0
        self.slope = arch.slope if scaled else 1.0

    def forward(self, x: Tensor) -> Tensor:
        """Each element on its own."""
        if self.activation == "relu":
            return torch.relu(x)
        if self.activation == "sigmoid":
            return torch.sigmoid(x)
        # A tanh(Sx) = 2A sigmoid(2Sx) - A. Unlike its tanh, torch's sigmoid is vectorised on a CPU: C1's maps of 64
        # pictures take 0.22 ms in place of 0.83 (torch 2.13, one thread), 0.92 in place of 1.56 with the gradient.
        return torch.sigmoid(x * (2 * self.slope)) * (2 * self.amplitude) - self.amplitude


class Subsampling(nn.Module):
    """S2 and S4: the mean over a window, times a trained coefficient, plus a trained bias, one of each per map.

    Or the mean, or the maximum, as it is: nothing is trained then.
    """

    def __init__(self, maps: int, arch: Architecture) -> None:
        super().__init__()
        self.kernel, self.stride = arch.pool_kernel, arch.pool_stride
        self.trainable = arch.subsampling == "trainable"
        self.pool = F.max_pool2d if arch.subsampling == "max" else F.avg_pool2d
        if self.trainable:
            self.coefficient = nn.Parameter(torch.full((maps, 1, 1), float(arch.subsampling_coefficient)))
            self.bias = nn.Parameter(torch.zeros(maps, 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """(n, maps, h, w) -> (n, maps, h', w'), halved by the paper's 2x2 window."""
        x = self.pool(x, self.kernel, self.stride)
        return x * self.coefficient + self.bias if self.trainable else x


class TableConvolution(nn.Module):
    """C3 with the connections of Table I: only the 60 kernels that exist are parameters."""

    places: Tensor

    def __init__(self) -> None:
        super().__init__()
        places = [6 * c3_map + s2_map for c3_map, s2_maps in enumerate(TABLE_I) for s2_map in sorted(s2_maps)]
        self.register_buffer("places", torch.tensor(places), persistent=False)  # (60,), in the 16 * 6 of a full C3
        self.weight = nn.Parameter(torch.empty(len(places), 5, 5))
        self.bias = nn.Parameter(torch.empty(16))

    def forward(self, x: Tensor) -> Tensor:
        """(n, 6, h, w) -> (n, 16, h - 4, w - 4)."""
        return F.conv2d(x, self.kernels(), self.bias)

    def kernels(self) -> Tensor:
        """Those of a full C3, (16, 6, 5, 5), with zeros where there is no connection."""
        full = self.weight.new_zeros(16 * 6, 5, 5).index_copy(0, self.places, self.weight)
        return full.view(16, 6, 5, 5)


class EuclideanRBF(nn.Module):
    """OUTPUT of the paper: minus the squared distance of F6 to each class's bitmap, -y_i of eq. 7.

    The penalty y_i is an unnormalised negative log-likelihood, so that the softmax of these logits is the posterior
    that the paper's MAP criterion (eq. 9) maximises, without its rubbish class.
    """

    bitmaps: Tensor

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        # Among the weights, though fixed: a trained network is worth nothing with other bitmaps than its own.
        self.register_buffer("bitmaps", torch.from_numpy(bitmaps()[:num_classes].copy()))  # (num_classes, 84)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 84) -> (n, num_classes), none above 0."""
        distance = x.unsqueeze(1) - self.bitmaps  # n x num_classes x 84
        return -(distance * distance).sum(dim=2)


class LeNet5(nn.Module):
    """LeNet-5, from pictures in the shared form to logits.

    `LeNet5(num_classes=2, output="rbf")`: the keyword arguments are the fields of `Architecture`.
    """

    def __init__(self, **arguments: Any) -> None:
        super().__init__()
        arch = Architecture(**arguments)
        self.architecture = arch
        self.squash = Squash(arch)
        self.c1 = nn.Conv2d(1, 6, 5)
        self.s2 = Subsampling(6, arch)
        self.c3 = TableConvolution() if arch.c3 == "table1" else nn.Conv2d(6, 16, 5)
        self.s4 = Subsampling(16, arch)
        self.c5 = nn.Conv2d(16, 120, arch.s4_side)
        self.f6 = nn.Linear(120, 84)
        self.output = EuclideanRBF(arch.num_classes) if arch.output == "rbf" else nn.Linear(84, arch.num_classes)
        initialise(self)

    @classmethod
    def from_architecture(cls, arch: Architecture) -> Self:
        """The network with these arguments, freshly initialised."""
        return cls(**arch.to_dict())

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, 1, 32, 32) or (n, 1, 28, 28), ink 0..1 on background 0 -> logits, float32 (n, num_classes).

        28x28 is padded to 32x32 with background. Raises ValueError for another shape.
        """
        arch = self.architecture
        if x.dim() != 4 or x.shape[1:] not in ((1, 32, 32), (1, 28, 28)):
            raise ValueError(f"LeNet-5 takes (n, 1, 32, 32) or (n, 1, 28, 28), not {tuple(x.shape)}")
        if x.shape[-1] == 28:
            x = F.pad(x, (2, 2, 2, 2))  # n x 1 x 32 x 32
        x = x * arch.input_scale + arch.input_offset
        x = self.squash(self.c1(x))  # n x 6 x 28 x 28
        x = self.s2(x)  # n x 6 x 14 x 14
        if arch.squash_subsampling:
            x = self.squash(x)
        x = self.squash(self.c3(x))  # n x 16 x 10 x 10
        x = self.s4(x)  # n x 16 x 5 x 5
        if arch.squash_subsampling:
            x = self.squash(x)
        x = self.squash(self.c5(x)).flatten(1)  # n x 120 (x 1 x 1)
        x = self.squash(self.f6(x))  # n x 84
        logits: Tensor = self.output(x)  # n x num_classes
        return logits

    def to_safetensors(self) -> bytes:
        """The weights as the content of a `model.safetensors`."""
        return save({name: tensor.detach().cpu().contiguous().numpy() for name, tensor in self.state_dict().items()})


def initialise(model: LeNet5, how: InitialWeights = "fan_in") -> None:
    """Draw new weights, uniform around 0, from torch's generator; biases are 0, S2 and S4 stay as they are.

    "fan_in" has a deviation of 1 / sqrt(fan-in), which keeps the variance of the activations from layer to layer
    (LeCun, Bottou, Orr and Mueller, "Efficient BackProp", 1998, eq. 16); with relu sqrt(2) times as much, for it
    halves the second moment (He et al., "Delving Deep into Rectifiers", 2015, eq. 10).

    "paper" draws from +-2.4 / fan-in (appendix A), whose deviation is too small where the fan-in is large: with the
    baseline's recipe cut to 3 epochs the error on held-out writers was 2.30 and 2.28 % with the paper's, 2.19 and
    1.98 % with torch's own and 1.74 and 1.74 % with "fan_in" (seeds 0 and 1; 10,005 digits).

    The fan-in of a unit is the number of its inputs. A shared weight belongs to many units, all of the same fan-in:
    25 in C1, 150 in a full C3, 75, 100 or 150 in a C3 by Table I, 400 in C5, 120 in F6, 84 in a linear OUTPUT.
    """
    gain = 2.0 if model.architecture.activation == "relu" else 1.0  # of the variance
    linear = [model.output] if isinstance(model.output, nn.Linear) else []
    for layer in (model.c1, model.c3, model.c5, model.f6, *linear):
        if isinstance(layer, TableConvolution):
            fan_in = torch.tensor([25.0 * len(s2_maps) for s2_maps in TABLE_I for _ in s2_maps]).view(-1, 1, 1)
        else:
            fan_in = torch.tensor(float(layer.weight[0].numel()))
        bound = 2.4 / fan_in if how == "paper" else torch.sqrt(3 * gain / fan_in)  # a deviation of bound / sqrt(3)
        nn.init.uniform_(layer.weight, -1, 1)
        layer.weight.data.mul_(bound)
        if layer.bias is not None:  # always so here, but torch's types allow for none
            nn.init.zeros_(layer.bias)


def load(folder: Path) -> LeNet5:
    """The model in `folder` (NAME/VERSION/), on the CPU and in evaluation mode, after its digests were checked.

    Raises a ModelError of app.errors when it must not be served.
    """
    manifest = verify(folder)
    model = LeNet5.from_architecture(manifest.architecture)
    tensors = {name: torch.from_numpy(array) for name, array in load_tensors(folder).items()}
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        raise ManifestInvalid(f"The weights in {folder} do not fit its manifest's architecture: {error}") from error
    return model.eval()
