"""A larger network to learn from (Hinton, Vinyals and Dean 2015); it is never served."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)

from training import checkpoint
from training.errors import CheckpointError


class Teacher(nn.Module):
    """Five convolutions of 3x3 in three levels and a dense layer, with batch normalisation and dropout.

    Some 30 times LeNet-5's arithmetic: maps of 24, 24, pooled, 48, 48, pooled, 96, then 256 units.
    """

    def __init__(self, num_classes: int) -> None:
        super().__init__()
        self.features = nn.Sequential(
            *_convolution(1, 24),  # n x 24 x 30 x 30
            *_convolution(24, 24),
            nn.MaxPool2d(2),  # n x 24 x 14 x 14
            *_convolution(24, 48),
            *_convolution(48, 48),
            nn.MaxPool2d(2),  # n x 48 x 5 x 5
            *_convolution(48, 96),  # n x 96 x 3 x 3
        )
        self.dense = nn.Linear(96 * 3 * 3, 256, bias=False)
        self.dense_norm = nn.BatchNorm1d(256)
        self.dropout = nn.Dropout(0.3)
        self.output = nn.Linear(256, num_classes)
        self.to(memory_format=torch.channels_last)  # type: ignore[call-overload]

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, 1, 32, 32) in the shared form -> logits (n, num_classes).

        In bfloat16 and channels last, which a CPU does in less than half the time.
        """
        with torch.autocast(x.device.type, torch.bfloat16):
            x = self.features(x).flatten(1)
            x = F.relu(self.dense_norm(self.dense(x)))  # n x 256
            logits: Tensor = self.output(self.dropout(x))
        return logits.float()


def _convolution(maps_in: int, maps_out: int) -> tuple[nn.Module, ...]:
    return nn.Conv2d(maps_in, maps_out, 3, bias=False), nn.BatchNorm2d(maps_out), nn.ReLU(inplace=True)


class Teachers:
    """Finished runs whose logits are averaged."""

    def __init__(self, networks: list[Teacher]) -> None:
        self.networks = networks

    @torch.no_grad()
    def __call__(self, inputs: Tensor) -> Tensor:
        """(n, 1, 32, 32) -> mean logits (n, num_classes)."""
        return torch.stack([network(inputs) for network in self.networks]).mean(0)


def load(runs: Path, names: tuple[str, ...], num_classes: int, device: torch.device) -> Teachers:
    """The teachers that the runs called `names` left in the folder `runs`.

    Raises:
        CheckpointError: one is not there, or is no finished teacher with as many classes.
    """
    return Teachers([_load(runs / name, num_classes).to(device).eval() for name in names])


def _load(folder: Path, num_classes: int) -> Teacher:
    network = Teacher(num_classes)
    try:
        network.load_state_dict(checkpoint.finished_model(folder))
    except RuntimeError as error:
        raise CheckpointError(f"{folder} holds no teacher with {num_classes} classes: {error}") from error
    return network
