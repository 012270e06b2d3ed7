"""How a digit was read, drawn for people: what `lenet5 predict --explain` writes."""

from typing import Any, Final

import numpy.typing as npt
from lenet5_client.schemas import Prediction
from PIL import Image

from app.explain.panel import (
    BLUE,
    DOUBTFUL,
    FAINT,
    GOOD,
    INK,
    MUTED,
    WIDTH,
    Panel,
    fitting,
    percent,
    stacked,
    titled,
    width_of,
)
from app.explain.verdict import WHY
from app.imaging import normalize
from app.imaging.ink import clean_ink, ink_of

SIDE: Final = 280  # pixels of a step's picture


def digit_explanation(picture: npt.NDArray[Any], answer: Prediction) -> Image.Image:
    """What was made of a picture and what the network says of it, 1000 pixels wide.

    `picture` is the decoded one, gray levels 0..255 (h, w).
    """
    return stacked([_head(answer), _steps(picture), _probabilities(answer)], 30)


def _head(answer: Prediction) -> Panel:
    """The digit, and whether it is accepted or why not."""
    panel = Panel(78)
    color = GOOD if answer.accepted else DOUBTFUL
    verdict = "accepted" if answer.accepted else "not accepted"
    badge = width_of(verdict, 16) + 28
    panel.rectangle((WIDTH - badge, 4, WIDTH, 38), color, radius=17)
    panel.text((WIDTH - badge / 2, 21), verdict, 16, color="#ffffff", anchor="mm", weight=1)
    panel.text((-1, 38), str(answer.digit), 46, weight=2)
    what = f"confidence {percent(answer.confidence)}  ·  model {answer.model.name}:{answer.model.version}"
    width = panel.text((0, 70), what, 14, color=MUTED)
    why = "; ".join(WHY[reason] for reason in answer.reasons)
    panel.text((WIDTH, 70), why, fitting(why, 14, WIDTH - width - 30), color=DOUBTFUL, anchor="rs")
    return panel


def _steps(picture: npt.NDArray[Any]) -> Panel:
    """As sent, its ink, and the network's input."""
    ink = ink_of(picture, clean_ink(picture)).levels
    steps = [
        ("as sent", picture, f"{picture.shape[1]} x {picture.shape[0]} pixels"),
        ("the ink", ink * (255 / max(float(ink.max()), 1e-6)), "ground and frame out, ink high"),
        ("the input", normalize(picture).input[0] * 255, "32 x 32, the digit in 20 x 20, centred by its mass"),
    ]
    panel = titled(SIDE + 28, "What the network is shown")
    for place, (title, pixels, remark) in enumerate(steps):
        left = place * (WIDTH - SIDE) / 2
        height, width = pixels.shape
        scale = SIDE / max(height, width)
        room = ((SIDE - width * scale) / 2, (SIDE - height * scale) / 2)
        panel.rectangle((left, 30, left + SIDE, 30 + SIDE), FAINT)
        panel.picture(
            pixels,
            (left + room[0], 30 + room[1], left + room[0] + width * scale, 30 + room[1] + height * scale),
            smooth=scale < 1,
        )
        width_title = panel.text((left, 52 + SIDE), title, 14, weight=1)
        panel.text(
            (left + width_title + 10, 52 + SIDE), remark, fitting(remark, 12, SIDE - width_title - 10), color=MUTED
        )
    return panel


def _probabilities(answer: Prediction) -> Panel:
    """A bar for each digit."""
    panel = titled(27 * 10, "The digits", "with the probability of each, given that the picture is one")
    for digit, share in enumerate(answer.probabilities):
        foot = 48 + 27 * digit
        best = digit == answer.digit
        panel.text((0, foot), str(digit), 17, weight=1 if best else 0)
        panel.rectangle((30, foot - 13, WIDTH - 80, foot + 1), FAINT, radius=4)
        length = (WIDTH - 110) * share
        panel.rectangle(
            (30, foot - 13, 30 + max(length, 3), foot + 1), BLUE if best else MUTED, radius=min(4, length / 2)
        )
        panel.text((WIDTH, foot), percent(share), 14, color=INK if best else MUTED, anchor="rs")
    return panel
