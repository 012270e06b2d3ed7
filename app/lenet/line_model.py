"""The space displacement network: LeNet-5's layers over a whole line, which says at each place which digit stands there.

A convolutional network replicated over all places of a line is one larger convolution (LeCun et al. 1998, section VII).
It needs no cuts, so that what it says of a line stands beside what is read from a segmentation. Its outputs are those
of connectionist temporal classification: ten digits, and a blank between them (Graves et al. 2006).
"""

import torch
from torch import Tensor, nn

from app.fields.strip import ROWS
from app.fields.symbols import DIGITS

COLUMNS_A_STEP = 2  # of the strip
KERNEL = 5
MAPS = (16, 40, 64)  # of C1, C3 and one more; S2 halves rows and columns, the later ones rows alone
C5, F6 = 200, 120


class LineNetwork(nn.Sequential):
    """float32 (n, 1, 32, w), ink 0..1 on ground 0 -> log-probabilities, float32 (n, w / 2, 11); the last is the blank.

    Batch normalisation (Ioffe and Szegedy 2015) follows each convolution.
    """

    def __init__(self, maps: tuple[int, int, int] = MAPS, c5: int = C5, f6: int = F6) -> None:
        layers: list[nn.Module] = []
        before = 1
        for index, after in enumerate(maps):
            layers += [*_convolution(before, after, KERNEL), nn.MaxPool2d((2, COLUMNS_A_STEP if index == 0 else 1))]
            before = after
        rows = ROWS // 2 ** len(maps)
        layers += [*_convolution(before, c5, (rows, KERNEL), (0, KERNEL // 2)), *_convolution(c5, f6, 1)]
        super().__init__(*layers, nn.Conv2d(f6, DIGITS + 1, 1))

    def forward(self, x: Tensor) -> Tensor:
        """See the class."""
        logits = super().forward(x)  # n x 11 x 1 x w / 2
        return torch.log_softmax(logits.squeeze(2).transpose(1, 2), 2)


def _convolution(
    before: int, after: int, kernel: int | tuple[int, int], padding: tuple[int, int] | None = None
) -> list[nn.Module]:
    side = kernel // 2 if isinstance(kernel, int) else 0
    padded = (side, side) if padding is None else padding
    return [nn.Conv2d(before, after, kernel, padding=padded, bias=False), nn.BatchNorm2d(after), nn.ReLU()]
