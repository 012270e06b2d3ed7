"""Candidates of the segmentation as examples: what the network meets when it reads fields, with what each is."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch

from app.fields.automaton import Automaton
from app.fields.formats import field_format
from app.fields.line import Line, clean
from app.fields.scores import geometry
from app.fields.segmentation import Candidate, inputs, segment
from training.datasets import RUBBISH, cheque_amounts
from training.datasets.cheque_amounts import Amount
from training.fields import labels, weigh
from training.fields.kinds import Sources, make
from training.fields.labels import UNCLEAR
from training.fields.signs import marks, writers
from training.fields.truth import amount_texts, right_readings
from training.fields.weigh import Readings
from training.inputs import Examples

Picture = npt.NDArray[np.uint8]
Label = Callable[[Line, Sequence[Candidate]], npt.NDArray[np.int64]]

LEARNT: Final = {"clean ZIP": 0.1, "touching ZIP": 0.2, "noisy ZIP": 0.2, "ZIP+4": 0.05, "amount": 0.3, "digits": 0.15}
"""Shares of the kinds of fields that are learnt from."""

FULL: Final = 255  # of an input's ink

LEARNT_SEED, HELD_OUT_SEED = 1_000_000, 2_000_000
"""Of the first field; each has the next."""

MOVED: Final = 0.035
"""How far pixels of a varied cheque are moved at most, as a standard deviation, in heights of the picture."""

BAD_CUTS: Final = 1.2
"""How many candidates that are no digit a field gives for each that is one, drawn from all that it has."""


@dataclass(frozen=True, eq=False)
class CutField:
    """One field as the segmentation cuts it."""

    inputs: npt.NDArray[np.uint8]  # (n, 1, 32, 32): of its candidates, in 1/255
    labels: npt.NDArray[np.int64]  # (n,), 0..9, RUBBISH or UNCLEAR
    chosen: npt.NDArray[np.int64]  # those that are learnt from one by one
    seen: npt.NDArray[np.float64]  # (n, features), but for what the network says
    readings: Readings | None  # its graph, where a right reading is a path of it
    fold: int = -1  # of a cheque


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


def candidates(fields: Sequence[CutField]) -> Candidates:
    """What is learnt of the fields one by one."""
    inputs = np.concatenate([one.inputs[one.chosen] for one in fields]).astype(np.float32)
    return Candidates(inputs / np.float32(FULL), np.concatenate([one.labels[one.chosen] for one in fields]))


@cache
def of_fields(data_dir: Path | None, count: int, *, held_out: bool) -> tuple[CutField, ...]:
    """`count` fields that are made of what is learnt from, or of what is held out.

    Raises:
        DatasetError: a file is missing or damaged.
    """
    sources = Sources(writers(data_dir, held_out=held_out), marks(data_dir, held_out=held_out))
    seed = HELD_OUT_SEED if held_out else LEARNT_SEED
    fields = (one for number in range(count) for one in make(LEARNT, 1, sources, seed + number))
    cut = []
    for one in fields:
        rights = partial(right_readings, field_format("digits"), (one.digits,), one.written.text)
        cut.append(_cut(one.picture, partial(labels.of_written, one.written), one.picture.size, rights))
    return tuple(cut)


@cache
def of_amounts(data_dir: Path | None, times: int) -> tuple[CutField, ...]:
    """Each cheque's amount as it is, and `times` - 1 pictures of it that differ.

    Raises:
        DatasetError: the file is missing or damaged.
    """
    form = field_format("amount")
    found = []
    for number, amount in enumerate(cheque_amounts.load(data_dir)):
        rng = np.random.default_rng((LEARNT_SEED, number))
        for one in (amount, *(varied(amount, rng) for _ in range(times - 1))):
            rights = partial(right_readings, form, amount_texts(amount.text))
            found.append(_cut(one.picture, partial(labels.of_amount, one), number, rights, amount.fold))
    return tuple(found)


def varied(amount: Amount, rng: np.random.Generator) -> Amount:
    """The same field as another pen, scanner and, a little, another hand would have it; its boxes go along."""
    scale, left, top = rng.uniform(0.75, 1.3), rng.uniform(0, 1), rng.uniform(0, 1)
    height, width = amount.picture.shape
    matrix = np.array([[scale * rng.uniform(0.85, 1.15), 0, left], [0, scale, top]])
    size = round(width * matrix[0, 0]), round(height * scale)
    flags = cv2.INTER_AREA if scale < 1 else cv2.INTER_CUBIC
    picture = cv2.warpAffine(amount.picture, matrix, size, flags=flags, borderMode=cv2.BORDER_REPLICATE)
    picture = _with_pen(_moved(picture.astype(np.uint8, copy=False), rng), rng)
    levels = 255 * (picture / 255.0) ** np.exp(rng.uniform(-0.3, 0.3)) * rng.uniform(0.8, 1.05)
    if rng.random() < 0.4:
        levels = cv2.GaussianBlur(levels, (0, 0), rng.uniform(0.3, 0.8))
    levels = np.clip(np.rint(levels + rng.normal(0, rng.uniform(0, 6), levels.shape)), 0, 255)
    factor = matrix[[0, 1, 0, 1], [0, 1, 0, 1]]
    boxes = (amount.boxes * factor + (left, top, 0, 0)).astype(np.float32)
    return Amount(amount.name, levels.astype(np.uint8), amount.text, boxes)


def _moved(picture: Picture, rng: np.random.Generator) -> Picture:
    """Pixels smoothly moved about by a few hundredths of the height (Simard, Steinkraus and Platt 2003)."""
    height, width = picture.shape
    knots = rng.normal(0, MOVED * height * rng.random(), (2, 5, max(5, round(5 * width / height)))).astype(np.float32)
    across, down = (cv2.resize(one, (width, height), interpolation=cv2.INTER_CUBIC) for one in knots)
    x, y = np.meshgrid(np.arange(width, dtype=np.float32), np.arange(height, dtype=np.float32))
    return cv2.remap(picture, x + across, y + down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE).astype(np.uint8)


def _with_pen(picture: Picture, rng: np.random.Generator) -> Picture:
    """Dark strokes made broader or finer, by part of a pixel."""
    other = (cv2.erode if rng.random() < 0.5 else cv2.dilate)(picture, np.ones((3, 3), np.uint8))
    share = rng.uniform(0, 0.6)
    return np.rint((1 - share) * picture + share * other).astype(np.uint8)


def _cut(
    picture: Picture, label: Label, seed: int, rights: Callable[[], Iterator[Automaton]], fold: int = -1
) -> CutField:
    line = clean(picture)
    segmentation = segment(line)
    of = label(line, segmentation.candidates)
    whole, bad = np.flatnonzero((of != UNCLEAR) & (of != RUBBISH)), np.flatnonzero(of == RUBBISH)
    some = np.random.default_rng(seed).permutation(bad)[: round(BAD_CUTS * max(len(whole), 1))]
    return CutField(
        inputs=np.rint(inputs(segmentation) * FULL).astype(np.uint8),
        labels=of,
        chosen=np.concatenate([whole, some]),
        seen=geometry(segmentation),
        readings=weigh.readings(segmentation, rights()),
        fold=fold,
    )
