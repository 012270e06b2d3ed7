"""LeNet-5 learnt as tutorials teach it: pictures opened one by one, a DataLoader, the loss read every step."""

import time
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)
from torch.utils.data import DataLoader, Dataset

MEAN, DEVIATION = 0.1307, 0.3081  # of MNIST, as tutorials have them


class Pictures(Dataset[tuple[Tensor, int]]):
    """What torchvision's MNIST gives with Pad, ToTensor and Normalize, whose work is written out here."""

    def __init__(self, pictures: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64]) -> None:
        self._pictures = pictures  # (n, 28, 28)
        self._labels = torch.from_numpy(labels)

    def __len__(self) -> int:
        return len(self._pictures)

    def __getitem__(self, index: int) -> tuple[Tensor, int]:
        """An input (1, 32, 32) and its digit."""
        picture = Image.fromarray(self._pictures[index])
        pixels = torch.from_numpy(np.array(picture, copy=True)).unsqueeze(0).contiguous()
        scaled = F.pad(pixels, (2, 2, 2, 2)).float().div(255)
        return scaled.sub_(MEAN).div_(DEVIATION), int(self._labels[index])


class Network(nn.Module):
    """LeNet-5 as it is known: tanh, plain mean pooling, 61,706 parameters."""

    def __init__(self) -> None:
        super().__init__()
        self.c1 = nn.Conv2d(1, 6, 5)
        self.c3 = nn.Conv2d(6, 16, 5)
        self.c5 = nn.Linear(400, 120)
        self.f6 = nn.Linear(120, 84)
        self.output = nn.Linear(84, 10)

    def forward(self, x: Tensor) -> Tensor:
        """(n, 1, 32, 32) to logits (n, 10)."""
        x = F.avg_pool2d(torch.tanh(self.c1(x)), 2)
        x = F.avg_pool2d(torch.tanh(self.c3(x)), 2)
        x = torch.tanh(self.c5(x.flatten(1)))
        logits: Tensor = self.output(torch.tanh(self.f6(x)))
        return logits


def epochs(
    pictures: npt.NDArray[np.uint8], labels: npt.NDArray[np.int64], *, batch_size: int, learning_rate: float
) -> Iterator[tuple[float, float]]:
    """Seconds and mean loss in nats, epoch after epoch."""
    torch.manual_seed(0)
    network, criterion = Network(), nn.CrossEntropyLoss()
    optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
    loader = DataLoader(Pictures(pictures, labels), batch_size=batch_size, shuffle=True)
    while True:
        start, total = time.perf_counter(), 0.0
        for inputs, digits in loader:
            optimizer.zero_grad()
            loss = criterion(network(inputs), digits)
            loss.backward()
            optimizer.step()
            total += loss.item() * len(digits)
        yield time.perf_counter() - start, total / len(pictures)
