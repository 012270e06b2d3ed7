"""Digits as the network meets them: the form that the service makes too, on the training device."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from app.imaging import INPUT_SHAPE, normalize
from training.datasets import Digits
from training.progress import Reporter, Silent

Picture = npt.NDArray[np.uint8]


@dataclass(frozen=True)
class Examples:
    """Inputs and labels that lie on one device."""

    inputs: Tensor  # float32 (n, 1, 32, 32), ink 0..1, background 0
    labels: Tensor  # int64 (n,), 0..9 or RUBBISH

    def __len__(self) -> int:
        return len(self.labels)

    def sha256(self) -> str:
        """Of the inputs' bytes: two runs that saw other pixels are not the same run."""
        return hashlib.sha256(self.inputs.cpu().numpy().data).hexdigest()

    def take(self, index: npt.NDArray[np.int64]) -> "Examples":
        """The examples at `index` (k,), in that order."""
        at = torch.from_numpy(index).to(self.labels.device)
        return Examples(self.inputs.index_select(0, at), self.labels.index_select(0, at))


def joined(parts: Sequence[Examples]) -> Examples:
    """All examples of the parts, in order."""
    return Examples(torch.cat([part.inputs for part in parts]), torch.cat([part.labels for part in parts]))


def prepare(digits: Digits, device: torch.device, reporter: Reporter | None = None) -> Examples:
    """Every picture through `app.imaging.normalize`, once, and then onto `device`."""
    return prepared(digits.pictures, digits.labels, device, digits.name, reporter)


def prepared(
    pictures: Sequence[Picture] | Picture,
    labels: npt.NDArray[np.int64],
    device: torch.device,
    name: str,
    reporter: Reporter | None = None,
) -> Examples:
    """`prepare` for pictures of any sizes, gray levels (h, w) each."""
    inputs = np.empty((len(labels), *INPUT_SHAPE), np.float32)
    tracked = (reporter or Silent()).track(pictures, f"normalising {name}", len(labels))
    for target, picture in zip(inputs, tracked, strict=True):
        target[...] = normalize(picture).input
    return Examples(torch.from_numpy(inputs).to(device), torch.from_numpy(labels).to(device))
