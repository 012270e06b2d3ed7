"""Transparency: what a half-transparent picture looks like to the one who sent it."""

import numpy as np
import numpy.typing as npt
from PIL import Image

Levels = npt.NDArray[np.uint8]

ONE_TONE = 4.0  # gray levels: what is visible varies less than this where alpha carries the ink
WHITE = 255
SAMPLED_SIDE = 1024  # pixels; of larger pictures every second, third... pixel tells the ground


def composited(gray: Levels, alpha: Levels) -> Levels:
    """Gray levels (h, w) laid on a ground by their alpha (h, w).

    What lies under the transparent part is anything (often black), so it does not count. Where what is visible has one
    tone, or is the smaller part of the picture, alpha carries the ink, and the ground is black or white, whichever is
    further from it. Otherwise the visible part is a piece of paper with ink on it, and the rest is filled as paper.
    """
    if int(alpha.min()) == int(alpha.max()):
        return gray
    step = max(1, max(gray.shape) // SAMPLED_SIDE)
    sample, weights = gray[::step, ::step], alpha[::step, ::step].astype(np.float64) / 255
    total = max(float(weights.sum()), 1e-6)
    mean = float((weights * sample).sum()) / total
    spread = float(np.sqrt((weights * (sample - mean) ** 2).sum() / total))
    if spread < ONE_TONE or total < 0.5 * weights.size:
        ground = WHITE if mean < 128 else 0
    else:
        ground = int(np.median(sample[weights > 0.5]))
    picture = Image.fromarray(gray)
    return np.asarray(Image.composite(picture, Image.new("L", picture.size, ground), Image.fromarray(alpha)))
