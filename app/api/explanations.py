"""The JSON that `/explain` answers with, as pydantic models: for the OpenAPI document."""

from typing import Literal

from lenet5_client.schemas import Prediction, Wire
from pydantic import Field

Grid = list[list[float]]
"""Rows of numbers, from the top."""


class Picture(Wire):
    """A gray picture, ink white."""

    url: str = Field(description="A PNG as a `data:` URL.")
    width: int = Field(description="Pixels.")
    height: int = Field(description="Pixels.")


class Ink(Picture):
    """What is not ground."""

    found: tuple[float, float, float, float] | None = Field(
        description=(
            "x, y, width and height of the digit, as shares of the picture's width and height; null in a blank one."
        )
    )


class Centred(Picture):
    """The 32x32 input, with the digit's centre of mass in its middle."""

    left: int = Field(description="The column of the input that the box's first one came to.")
    top: int = Field(description="The row of the input that the box's first one came to.")


class Steps(Wire):
    """The way of a picture into the network's form."""

    drawn: Picture = Field(description="As it was sent: gray, upright, at most 128 pixels a side, not inverted.")
    ink: Ink = Field(description="The ground taken off, 1 is the digit's own contrast; at most 128 pixels a side.")
    box: Picture | None = Field(
        description="The digit alone, its longer side 19 to 21 pixels; null in a blank picture."
    )
    centred: Centred


class Layer(Wire):
    """What one layer gives."""

    name: Literal["INPUT", "C1", "S2", "C3", "S4", "C5", "F6", "OUTPUT"]
    kind: Literal["input", "convolution", "subsampling", "full"] = Field(
        description="Every unit of a full layer sees all of the layer before."
    )
    shape: list[int] = Field(description="Maps, height, width; or units alone.")
    values: list[Grid] | list[float] = Field(
        description=(
            "After the activation, to 4 decimals. INPUT has the network's own scale and offset; OUTPUT holds logits: "
            "with `rbf` outputs, minus squared distances. An eleventh output is `no digit`."
        )
    )
    kernel: int | None = Field(None, description="Pixels a side that a unit sees of each map of the layer before.")
    stride: int | None = Field(None, description="Pixels from one unit's window to the next one's.")
    connections: list[list[int]] | None = Field(None, description="Of C3: the S2 maps that each of its maps sees.")


class Scaling(Wire):
    """The network's own first step: ink * scale + offset."""

    scale: float
    offset: float


class Activation(Wire):
    """amplitude * function(slope * x)."""

    function: Literal["scaled_tanh", "tanh", "sigmoid", "relu"]
    amplitude: float
    slope: float


class FirstKernels(Wire):
    """C1's."""

    kernels: list[Grid] = Field(description="6 of 5x5.")
    biases: list[float]


class SubsamplingWeights(Wire):
    """S2's or S4's."""

    pool: Literal["mean", "max"]
    coefficients: list[float] | None = Field(description="One a map, times the pool; null where none is trained.")
    biases: list[float] | None
    squashed: bool = Field(description="Whether the activation follows.")


class Kernels(Wire):
    """C3's."""

    kernels: list[list[Grid]] = Field(description="16 x 6 of 5x5; zeros where there is no connection.")
    biases: list[float]


class OutputWeights(Wire):
    """What the outputs make of F6."""

    form: Literal["linear", "rbf"]
    weights: Grid = Field(description="A row of 84 for each output; with `rbf` a bitmap of 12 rows of 7.")
    biases: list[float] | None = Field(description="None with `rbf`.")


class NetworkParts(Wire):
    """What does not change from picture to picture."""

    input: Scaling
    activation: Activation
    C1: FirstKernels
    S2: SubsamplingWeights
    C3: Kernels
    S4: SubsamplingWeights
    OUTPUT: OutputWeights


class Uncentred(Wire):
    """What the same network reads in the whole picture as it lies, shrunk to 32x32."""

    digit: int = Field(ge=0, le=9)
    confidence: float = Field(ge=0, le=1)
    probabilities: list[float] = Field(min_length=10, max_length=10)
    picture: Picture


class Explanation(Prediction):
    """A prediction, under the model's own threshold, and how it came about."""

    steps: Steps
    layers: list[Layer] = Field(description="INPUT, C1, S2, C3, S4, C5, F6, OUTPUT.")
    network: NetworkParts
    uncentred: Uncentred
