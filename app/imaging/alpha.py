"""Transparency: what a half-transparent picture looks like to the one who sent it."""

import numpy as np
import numpy.typing as npt

Levels = npt.NDArray[np.uint8]

ONE_TONE = 4.0  # gray levels: what is visible varies less than this where alpha carries the ink
WHITE = 255


def composited(gray: Levels, alpha: Levels) -> Levels:
    """Gray levels (h, w) laid on a ground by their alpha (h, w).

    What lies under the transparent part is anything (often black), so it does not count. Where what is visible has one
    tone, or is the smaller part of the picture, alpha carries the ink, and the ground is black or white, whichever is
    further from it. Otherwise the visible part is a piece of paper with ink on it, and the rest is filled as paper.
    """
    if int(alpha.min()) == int(alpha.max()):
        return gray
    weights = alpha.astype(np.float64) / 255
    total = float(weights.sum())
    mean = float((weights * gray).sum()) / total
    spread = float(np.sqrt((weights * (gray - mean) ** 2).sum() / total))
    if spread < ONE_TONE or total < 0.5 * weights.size:
        ground = WHITE if mean < 128 else 0
    else:
        ground = int(np.median(gray[weights > 0.5]))
    return np.rint(gray * weights + ground * (1 - weights)).astype(np.uint8)
