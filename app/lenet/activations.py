"""What each layer of a LeNet-5 gives, for people to look at: its weights in NumPy, unfolded. Needs no torch.

What serves has its affine steps folded (`app.lenet.folded`), and so has no values that the paper would know.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from app.errors import ManifestInvalid
from app.lenet.architecture import TABLE_I, Architecture
from app.lenet.weights import load_tensors, read_manifest

Array = NDArray[np.floating]
"""float32, though numpy's types cannot tell."""

KERNEL: Final = 5  # pixels a side, of C1 and C3


@dataclass(frozen=True)
class Network:
    """The weights of a LeNet-5, unchanged, and what it does with them."""

    architecture: Architecture
    weights: Mapping[str, Array]  # by the names in model.safetensors; c3.weight is that of a full C3, (16, 6, 5, 5)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """The network in `folder` (NAME/VERSION/). Raises a ModelError when it must not be served."""
        tensors = load_tensors(folder)
        arch = read_manifest(folder).architecture
        found = {name: tensor.shape for name, tensor in tensors.items()}
        if found != (expected := _shapes(arch)):
            raise ManifestInvalid(
                f"The weights in {folder} do not fit its manifest's architecture: they have {found}, not {expected}.",
                path=str(folder),
            )
        if arch.c3 == "table1":
            tensors["c3.weight"] = _full(tensors["c3.weight"])
        return cls(arch, tensors)

    @property
    def connections(self) -> tuple[tuple[int, ...], ...]:
        """The S2 maps that each of the 16 C3 maps sees."""
        return TABLE_I if self.architecture.c3 == "table1" else (tuple(range(6)),) * 16

    def activations(self, inputs: Array) -> dict[str, Array]:
        """What each layer gives for inputs in the shared form, float32 (n, 1, 32, 32), by its name in the paper.

        INPUT has the network's own scale and offset; OUTPUT are logits.
        """
        arch = self.architecture
        x = inputs * np.float32(arch.input_scale) + np.float32(arch.input_offset)
        given = {"INPUT": x}  # n x 1 x 32 x 32
        for convolution, subsampling in (("c1", "s2"), ("c3", "s4")):
            x = self._squash(self._convolution(convolution, x))
            given[convolution.upper()] = x  # n x 6 x 28 x 28, n x 16 x 10 x 10
            x = self._subsampling(subsampling, x)
            if arch.squash_subsampling:
                x = self._squash(x)
            given[subsampling.upper()] = x  # n x 6 x 14 x 14, n x 16 x 5 x 5
        x = x.reshape(len(x), -1)  # n x 400
        for name in ("c5", "f6"):
            weight = self.weights[name + ".weight"].reshape(-1, x.shape[1])
            x = self._squash(x @ weight.T + self.weights[name + ".bias"])
            given[name.upper()] = x  # n x 120, n x 84
        if arch.output == "rbf":
            distance = x[:, None] - self.weights["output.bitmaps"]  # n x classes x 84
            given["OUTPUT"] = -np.square(distance).sum(axis=2)
        else:
            given["OUTPUT"] = x @ self.weights["output.weight"].T + self.weights["output.bias"]
        return given

    def _convolution(self, name: str, x: Array) -> Array:
        """(n, maps, h, w) -> (n, maps', h - 4, w - 4)."""
        patches = sliding_window_view(x, (KERNEL, KERNEL), axis=(2, 3))  # n x maps x h' x w' x 5 x 5
        summed = np.tensordot(
            patches, self.weights[name + ".weight"], axes=((1, 4, 5), (1, 2, 3))
        )  # n x h' x w' x maps'
        return np.moveaxis(summed + self.weights[name + ".bias"], 3, 1)

    def _subsampling(self, name: str, x: Array) -> Array:
        """(n, maps, h, w) -> (n, maps, h', w')."""
        arch = self.architecture
        windows = sliding_window_view(x, (arch.pool_kernel, arch.pool_kernel), axis=(2, 3))
        windows = windows[:, :, :: arch.pool_stride, :: arch.pool_stride]
        if arch.subsampling == "max":
            largest: Array = windows.max(axis=(4, 5))
            return largest
        mean: Array = windows.mean(axis=(4, 5))
        if arch.subsampling == "mean":
            return mean
        return mean * self.weights[name + ".coefficient"] + self.weights[name + ".bias"]

    def _squash(self, x: Array) -> Array:
        """The activation, each element on its own."""
        arch = self.architecture
        if arch.activation == "relu":
            squashed: Array = np.maximum(x, 0)
        elif arch.activation == "sigmoid":
            squashed = (np.tanh(x / 2) + 1) / 2  # the same, and nothing overflows
        elif arch.activation == "tanh":
            squashed = np.tanh(x)
        else:
            squashed = np.float32(arch.amplitude) * np.tanh(np.float32(arch.slope) * x)
        return squashed


def _full(kernels: Array) -> Array:
    """The 60 kernels of Table I, (60, 5, 5), as those of a full C3, (16, 6, 5, 5), with zeros for no connection."""
    full = np.zeros((16, 6, KERNEL, KERNEL), np.float32)
    places = [(c3_map, s2_map) for c3_map, s2_maps in enumerate(TABLE_I) for s2_map in sorted(s2_maps)]
    full[tuple(zip(*places, strict=True))] = kernels
    return full


def _shapes(arch: Architecture) -> dict[str, tuple[int, ...]]:
    """The shapes of an architecture's weights."""
    c3_kernels = (60,) if arch.c3 == "table1" else (16, 6)
    shapes: dict[str, tuple[int, ...]] = {
        "c1.weight": (6, 1, KERNEL, KERNEL),
        "c1.bias": (6,),
        "c3.weight": (*c3_kernels, KERNEL, KERNEL),
        "c3.bias": (16,),
        "c5.weight": (120, 16, arch.s4_side, arch.s4_side),
        "c5.bias": (120,),
        "f6.weight": (84, 120),
        "f6.bias": (84,),
    }
    if arch.subsampling == "trainable":
        for name, maps in (("s2", 6), ("s4", 16)):
            shapes |= {f"{name}.coefficient": (maps, 1, 1), f"{name}.bias": (maps, 1, 1)}
    if arch.output == "rbf":
        return shapes | {"output.bitmaps": (arch.num_classes, 84)}
    return shapes | {"output.weight": (arch.num_classes, 84), "output.bias": (arch.num_classes,)}
