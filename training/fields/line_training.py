"""How the space displacement network learns from lines: Adam, warm-up and cosine, an average of its weights, CTC."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)
from torch.optim.swa_utils import AveragedModel, get_ema_multi_avg_fn

from app.fields.ctc import BLANK
from app.fields.strip import ROWS
from training.fields.line_model import LineNetwork
from training.fields.lines import FULL, TextLine
from training.progress import Reporter

WARM_UP: Final = 100  # steps
STEEPEST: Final = 5.0  # norm of a gradient
AVERAGE: Final = 0.998  # of the weights so far, at each step

ROOM: Final = 8  # columns in which a line may be moved, at most
# Deviations of what a line is varied by:
WIDER, HIGHER = 0.08, 0.06  # natural logarithms of its size
SHEARED = 0.1  # to either side, for each row downwards
LOWERED = 0.9  # rows
DARKER = 0.2  # natural logarithm of the exponent of its ink


@dataclass(frozen=True, kw_only=True)
class Lesson:
    """How long and how fast is learnt."""

    epochs: int
    learning_rate: float  # the highest
    dropout: float = 0.0
    variation: float = 1.0  # a factor of all deviations of what lines are varied by
    batch_size: int = 32
    seed: int = 0


def learn(model: LineNetwork, lines: Sequence[TextLine], lesson: Lesson, say: Reporter) -> LineNetwork:
    """`model` after it has learnt from the lines: the average of its weights, in evaluation mode."""
    rng = np.random.default_rng(lesson.seed)
    torch.manual_seed(lesson.seed)
    optimizer = torch.optim.AdamW(model.parameters(), lr=lesson.learning_rate, weight_decay=1e-4)
    moving = get_ema_multi_avg_fn(AVERAGE)  # type: ignore[no-untyped-call]
    averaged = AveragedModel(model, multi_avg_fn=moving, use_buffers=True)
    a_epoch = math.ceil(len(lines) / lesson.batch_size)
    total = lesson.epochs * a_epoch
    model.train()
    for epoch in range(lesson.epochs):
        losses = 0.0
        batches = _batches(lines, lesson.batch_size, rng)
        for step, chosen in enumerate(say.track(batches, f"epoch {epoch + 1} of {lesson.epochs}", a_epoch)):
            rate = _rate(epoch * a_epoch + step, total)
            for group in optimizer.param_groups:
                group["lr"] = rate * lesson.learning_rate
            loss = _loss(model, varied(chosen, rng, lesson.variation), chosen)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            nn.utils.clip_grad_norm_(model.parameters(), STEEPEST)
            optimizer.step()
            averaged.update_parameters(model)
            losses += float(loss.detach())
        say.line(f"epoch {epoch + 1} of {lesson.epochs}: {losses / a_epoch:.3f} nats a line")
    model.load_state_dict(averaged.module.state_dict())
    return model.eval()


def _rate(step: int, total: int) -> float:
    """The share of the highest learning rate."""
    return min(1.0, (step + 1) / WARM_UP) * (0.5 + 0.5 * math.cos(math.pi * step / total))


def _batches(lines: Sequence[TextLine], size: int, rng: np.random.Generator) -> Iterator[list[TextLine]]:
    """All lines in batches of much the same width, in a new order."""
    widths = np.array([one.strip.shape[1] for one in lines])
    order = np.argsort(widths * np.exp(rng.normal(0, 0.08, len(widths))), kind="stable")
    for first in rng.permutation(range(0, len(order), size)).tolist():
        yield [lines[index] for index in order[first : first + size].tolist()]


def _loss(model: LineNetwork, sheet: Tensor, lines: Sequence[TextLine]) -> Tensor:
    """The mean of - log likelihood of the lines' texts, in nats; a line too narrow for its text counts nothing."""
    log_probs = model(sheet).transpose(0, 1)
    texts = torch.tensor([int(char) for one in lines for char in one.text])
    lengths = torch.tensor([len(one.text) for one in lines])
    steps = torch.full((len(lines),), len(log_probs))
    loss: Tensor = F.ctc_loss(log_probs, texts, steps, lengths, blank=BLANK, reduction="sum", zero_infinity=True)
    return loss / len(lines)


def varied(lines: Sequence[TextLine], rng: np.random.Generator, much: float = 1.0) -> Tensor:
    """Lines, each a little wider or narrower, higher or lower, moved and slanted, darker or paler: (n, 1, 32, w).

    `much` is a factor of all deviations.
    """
    n = len(lines)
    widths = [one.strip.shape[1] for one in lines]
    columns = (max(widths) + ROOM + 3) // 4 * 4
    sheet = np.zeros((n, 1, ROWS, columns), np.float32)
    moved = []
    for target, one, width in zip(sheet, lines, widths, strict=True):
        left = int(rng.integers(0, min(ROOM, columns - width) + 1))
        moved.append(left)
        target[0, :, left : left + width] = one.strip
    wider = np.exp(rng.normal(0, much * WIDER, n))
    wider = np.minimum(wider, columns / (np.array(widths) + moved))  # none leaves the sheet
    turn = np.zeros((n, 2, 3))  # from a place in the new sheet to one in the old, both from -1 to 1
    turn[:, 0, 0] = 1 / wider
    turn[:, 0, 1] = rng.normal(0, much * SHEARED, n) * ROWS / columns
    turn[:, 0, 2] = 1 / wider - 1  # the left edge stays
    turn[:, 1, 1] = np.exp(rng.normal(0, much * HIGHER, n))
    turn[:, 1, 2] = rng.normal(0, much * LOWERED, n) * 2 / ROWS
    grid = F.affine_grid(torch.from_numpy(turn).float(), [n, 1, ROWS, columns], align_corners=False)
    found = F.grid_sample(torch.from_numpy(sheet / np.float32(FULL)), grid, align_corners=False)
    exponents = torch.from_numpy(np.exp(rng.normal(0, much * DARKER, n))).float()
    return found.clamp(0, 1) ** exponents.view(n, 1, 1, 1)


def log_probabilities(model: LineNetwork, strip: npt.NDArray[np.floating]) -> npt.NDArray[np.float32]:
    """(steps, 11): what the network says of a strip (32, w)."""
    with torch.no_grad():
        found: npt.NDArray[np.float32] = model(torch.from_numpy(strip.astype(np.float32))[None, None])[0].numpy()
    return found
