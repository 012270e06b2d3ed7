"""Digits as the network meets them: the form that the service makes too, on the training device."""

import hashlib
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.imaging import INPUT_SHAPE, normalize
from training.datasets import Digits
from training.progress import Reporter, Silent


@dataclass(frozen=True)
class Examples:
    """Inputs and labels that lie on one device."""

    inputs: Tensor  # float32 (n, 1, 32, 32), ink 0..1, background 0
    labels: Tensor  # int64 (n,)

    def __len__(self) -> int:
        return len(self.labels)

    def sha256(self) -> str:
        """Of the inputs' bytes: two runs that saw other pixels are not the same run."""
        return hashlib.sha256(self.inputs.cpu().numpy().data).hexdigest()

    def take(self, index: npt.NDArray[np.int64]) -> "Examples":
        """The examples at `index` (k,), in that order."""
        at = torch.from_numpy(index).to(self.labels.device)
        return Examples(self.inputs.index_select(0, at), self.labels.index_select(0, at))


def prepare(digits: Digits, device: torch.device, reporter: Reporter | None = None) -> Examples:
    """Every picture through `app.imaging.normalize`, once, and then onto `device`."""
    inputs = np.empty((len(digits), *INPUT_SHAPE), np.float32)
    pictures = (reporter or Silent()).track(digits.pictures, f"normalising {digits.name}", len(digits))
    for target, picture in zip(inputs, pictures, strict=True):
        target[...] = normalize(picture).input
    return Examples(torch.from_numpy(inputs).to(device), torch.from_numpy(digits.labels).to(device))
