"""Candidates of the segmentation as examples: what the network meets when it reads fields, with what each is."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from app.fields.line import Line, clean
from app.fields.segmentation import Candidate, inputs, segment
from app.imaging import INPUT_SHAPE
from training.datasets import RUBBISH, cheque_amounts
from training.datasets.cheque_amounts import Amount
from training.fields import labels
from training.fields.kinds import Sources, make
from training.fields.labels import UNCLEAR
from training.fields.signs import marks, writers
from training.inputs import Examples

Picture = npt.NDArray[np.uint8]
Label = Callable[[Line, Sequence[Candidate]], npt.NDArray[np.int64]]

LEARNT: Final = {"clean ZIP": 0.1, "touching ZIP": 0.2, "noisy ZIP": 0.2, "ZIP+4": 0.05, "amount": 0.3, "digits": 0.15}
"""Shares of the kinds of fields that are learnt from."""

LEARNT_SEED, HELD_OUT_SEED = 1_000_000, 2_000_000
"""Of the first field; each has the next."""

BAD_CUTS: Final = 1.2
"""How many candidates that are no digit a field gives for each that is one, drawn from all that it has."""


@dataclass(frozen=True)
class Candidates:
    """Those of many fields."""

    inputs: npt.NDArray[np.float32]  # (n, 1, 32, 32)
    labels: npt.NDArray[np.int64]  # (n,), 0..9 or RUBBISH

    def examples(self, device: torch.device, *, digits: bool = True, others: bool = True) -> Examples:
        """All, or one of the two sorts alone."""
        chosen = (self.labels == RUBBISH) if not digits else np.ones(len(self.labels), np.bool_)
        if not others:
            chosen &= self.labels != RUBBISH
        of = torch.from_numpy(self.inputs[chosen]), torch.from_numpy(self.labels[chosen])
        return Examples(of[0].to(device), of[1].to(device))


@cache
def of_fields(data_dir: Path | None, count: int, *, held_out: bool) -> Candidates:
    """The candidates of `count` fields that are made of what is learnt from, or of what is held out.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    sources = Sources(writers(data_dir, held_out=held_out), marks(data_dir, held_out=held_out))
    seed = HELD_OUT_SEED if held_out else LEARNT_SEED
    fields = (one for number in range(count) for one in make(LEARNT, 1, sources, seed + number))
    return joined([_of(one.picture, partial(labels.of_written, one.written), one.picture.size) for one in fields])


@cache
def of_amounts(data_dir: Path | None, times: int) -> tuple[tuple[int, Candidates], ...]:
    """By amount its fold and its candidates: of the cheque as it is, and of `times` - 1 pictures of it that differ.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    found = []
    for number, amount in enumerate(cheque_amounts.load(data_dir)):
        rng = np.random.default_rng((LEARNT_SEED, number))
        pictures = [amount, *(varied(amount, rng) for _ in range(times - 1))]
        parts = [_of(one.picture, partial(labels.of_amount, one), number) for one in pictures]
        found.append((amount.fold, joined(parts)))
    return tuple(found)


def joined(parts: Sequence[Candidates]) -> Candidates:
    """All candidates of the parts, in order."""
    return Candidates(np.concatenate([part.inputs for part in parts]), np.concatenate([part.labels for part in parts]))


def varied(amount: Amount, rng: np.random.Generator) -> Amount:
    """Another scan of the same field: its size, place, light and sharpness differ, and its boxes with them."""
    scale, left, top = rng.uniform(0.75, 1.3), rng.uniform(0, 1), rng.uniform(0, 1)
    height, width = amount.picture.shape
    matrix = np.array([[scale * rng.uniform(0.9, 1.1), 0, left], [0, scale, top]])
    size = round(width * matrix[0, 0]), round(height * scale)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.warpAffine(amount.picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    levels = 255 * (picture / 255.0) ** np.exp(rng.uniform(-0.3, 0.3)) * rng.uniform(0.8, 1.05)
    if rng.random() < 0.4:
        levels = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.3, 0.8))
    levels = np.clip(np.rint(levels + rng.normal(0, rng.uniform(0, 6), levels.shape)), 0, 255)
    factor = matrix[[0, 1, 0, 1], [0, 1, 0, 1]]
    boxes = (amount.boxes * factor + (left, top, 0, 0)).astype(np.float32)
    return Amount(amount.name, levels.astype(np.uint8), amount.text, boxes)


def _of(picture: Picture, label: Label, seed: int) -> Candidates:
    line = clean(picture)
    segmentation = segment(line)
    if not segmentation.candidates:
        return Candidates(np.zeros((0, *INPUT_SHAPE), np.float32), np.zeros(0, np.int64))
    of = label(line, segmentation.candidates)
    whole, bad = np.flatnonzero((of != UNCLEAR) & (of != RUBBISH)), np.flatnonzero(of == RUBBISH)
    some = np.random.default_rng(seed).permutation(bad)[: round(BAD_CUTS * max(len(whole), 1))]
    index = np.concatenate([whole, some])
    return Candidates(inputs(segmentation)[index], of[index])
