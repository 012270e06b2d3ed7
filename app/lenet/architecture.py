"""Which LeNet-5: the arguments that tell its variants apart, as they stand in a manifest. Needs no torch."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Final, Literal, Self, get_args

from app.lenet.bitmaps import BITMAP_COUNT

C3 = Literal["full", "table1"]
Output = Literal["linear", "rbf"]
Activation = Literal["scaled_tanh", "tanh", "sigmoid", "relu"]
Subsampling = Literal["trainable", "mean", "max"]


# Table I of the paper: the S2 maps that each of the 16 C3 maps is connected to. Six of three adjacent maps, six of
# four adjacent ones, three of four that are not, and one of all: 60 connections in place of 96. It breaks the symmetry
# between the maps, so that they learn different features.
TABLE_I: Final = (
    *((i, (i + 1) % 6, (i + 2) % 6) for i in range(6)),
    *((i, (i + 1) % 6, (i + 2) % 6, (i + 3) % 6) for i in range(6)),
    *((i, i + 1, (i + 3) % 6, (i + 4) % 6) for i in range(3)),
    tuple(range(6)),
)


@dataclass(frozen=True, kw_only=True)
class Architecture:
    """The arguments of a LeNet-5. The defaults are the network of the `baseline` training config.

    The paper's own network is `Architecture(c3="table1", output="rbf", squash_subsampling=True).with_paper_input()`.
    Raises ValueError when a field has a value that it may not have.
    """

    num_classes: int = 10
    c3: C3 = "full"  # every C3 map sees all six S2 maps, or those of the paper's Table I
    output: Output = "linear"  # logits, or minus the penalties of Euclidean RBF units (eq. 7) on 7x12 bitmaps
    squash_subsampling: bool = False  # the activation after S2 and S4 too, as in the paper
    activation: Activation = "scaled_tanh"  # relu is max(0, x): not of 1998, for comparison
    amplitude: float = 1.7159  # A of A tanh(Sx); used by scaled_tanh alone
    slope: float = 2 / 3  # S of A tanh(Sx): with this A, f(1) = 1 and f(-1) = -1 (the paper, appendix A)
    # S2 and S4: mean * coefficient + bias, both trained, one of each per map; or the mean, or the maximum, as it is
    subsampling: Subsampling = "trainable"
    pool_kernel: int = 2  # pixels, of S2 and S4
    pool_stride: int = 2  # pixels
    subsampling_coefficient: float = 1.0  # at first; the paper adds its four inputs: the same as a mean times 4
    input_scale: float = 1.0  # the network's own first, fixed operation on the shared form: ink * scale + offset
    input_offset: float = 0.0

    def __post_init__(self) -> None:
        for name, allowed in _CHOICES.items():
            if getattr(self, name) not in allowed:
                raise ValueError(f"{name} is {getattr(self, name)!r}, not one of {', '.join(allowed)}")
        for name in ("num_classes", "pool_kernel", "pool_stride"):
            value = getattr(self, name)
            if type(value) is not int or value < 1:
                raise ValueError(f"{name} is {value!r}, not a whole number from 1")
        for name in ("amplitude", "slope", "subsampling_coefficient", "input_scale", "input_offset"):
            value = getattr(self, name)
            if type(value) not in (int, float) or not math.isfinite(value):
                raise ValueError(f"{name} is {value!r}, not a finite number")
        if type(self.squash_subsampling) is not bool:
            raise ValueError(f"squash_subsampling is {self.squash_subsampling!r}, not true or false")
        if self.output == "rbf" and self.num_classes > BITMAP_COUNT:
            raise ValueError(f"an rbf output has at most {BITMAP_COUNT} classes, one a bitmap, not {self.num_classes}")
        if self.s4_side < 1:
            raise ValueError(f"pool_kernel {self.pool_kernel} with pool_stride {self.pool_stride} leaves nothing of S4")

    @property
    def s4_side(self) -> int:
        """Height and width of the S4 maps in pixels: 5 in the paper. C5's kernels are as large."""
        s2_side = (28 - self.pool_kernel) // self.pool_stride + 1
        return (s2_side - 4 - self.pool_kernel) // self.pool_stride + 1

    def with_standardised_input(self, mean: float, std: float) -> Self:
        """The same with inputs of zero mean and unit deviation; `mean` and `std` are those of the ink, in 0..1."""
        if not (math.isfinite(mean) and math.isfinite(std) and std > 0):
            raise ValueError(f"mean {mean} and std {std} do not standardise anything")
        return replace(self, input_scale=1 / std, input_offset=-mean / std)

    def with_paper_input(self) -> Self:
        """The same with background -0.1 and ink 1.175: mean roughly 0, variance roughly 1 (the paper, II.B)."""
        return replace(self, input_scale=1.275, input_offset=-0.1)

    def to_dict(self) -> dict[str, Any]:
        """Every argument, as JSON or TOML can hold it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`; what is left out has its default. Raises ValueError on unknown keys or values."""
        known = {field.name for field in fields(cls)}
        if unknown := sorted(set(values) - known):
            raise ValueError(
                f"unknown architecture arguments: {', '.join(unknown)}; known are {', '.join(sorted(known))}"
            )
        return cls(**values)


_CHOICES: dict[str, tuple[str, ...]] = {
    "c3": get_args(C3),
    "output": get_args(Output),
    "activation": get_args(Activation),
    "subsampling": get_args(Subsampling),
}
