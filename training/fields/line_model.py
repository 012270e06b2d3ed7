"""The space displacement network: LeNet-5's layers over a whole line, which say at each place what digit stands there.

A network replicated over all places of a line is one larger convolution (LeCun et al. 1998, section VII). It needs no
cuts, so that what it says of a line stands beside what is read from a segmentation. Its outputs are those of
connectionist temporal classification: ten digits, and a blank between them (Graves et al. 2006).
"""

from collections import OrderedDict
from itertools import pairwise

import torch
from torch import Tensor, nn

from app.fields.strip import ROWS
from app.fields.symbols import DIGITS

MAPS = (
    16,
    40,
    64,
)  # of three convolutions, each with a maximum over two rows behind it, the first over two columns too
C5, F6 = 200, 120
SIDE = 5  # of all kernels, but that C5's are as high as what is left


class LineNetwork(nn.Sequential):
    """float32 (n, 1, 32, w), ink 0..1 on ground 0 -> log-probabilities, float32 (n, w / 2, 11); the last is the blank.

    Batch normalisation (Ioffe and Szegedy 2015) follows each convolution. While it learns, a share `dropout` of what C5
    and F6 say is left out (Srivastava et al. 2014).
    """

    def __init__(self, dropout: float = 0.0) -> None:
        layers: dict[str, nn.Module] = {}
        for number, (before, after) in enumerate(pairwise((1, *MAPS)), 1):
            layers |= _layer(f"c{number}", before, after, (SIDE, SIDE), SIDE // 2)
            layers[f"s{number}"] = nn.MaxPool2d((2, 2 if number == 1 else 1))
        layers |= _layer("c5", MAPS[-1], C5, (ROWS // 2 ** len(MAPS), SIDE), 0)  # n x 200 x 1 x w / 2
        layers["c5_dropout"] = nn.Dropout(dropout)
        layers |= _layer("f6", C5, F6, (1, 1), 0)
        layers["f6_dropout"] = nn.Dropout(dropout)
        layers["output"] = nn.Conv2d(F6, DIGITS + 1, 1)
        super().__init__(OrderedDict(layers))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        logits: Tensor = super().forward(x)  # type: ignore[no-untyped-call]  # n x 11 x 1 x w / 2
        return torch.log_softmax(logits.squeeze(2).transpose(1, 2), 2)


def _layer(name: str, before: int, after: int, kernel: tuple[int, int], rows: int) -> dict[str, nn.Module]:
    """A convolution that keeps the columns, with `rows` of ground above and below."""
    convolution = nn.Conv2d(before, after, kernel, padding=(rows, kernel[1] // 2), bias=False)
    return {name: convolution, f"{name}_norm": nn.BatchNorm2d(after), f"{name}_relu": nn.ReLU()}
