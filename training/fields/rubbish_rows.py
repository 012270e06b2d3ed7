"""Rows of what is no digit, on paper: a field where there is nothing to read."""

import numpy as np
import numpy.typing as npt

from training import rubbish
from training.datasets import Digits
from training.fields.hand import Hand, Shape, write
from training.fields.paper import NOISY, PLAIN, on_paper

HEIGHT = 40.0  # pixels of what is written
SORTS = ("letter", "letter", "letter", "scribble", "cross", "pair")


def rubbish_row(digits: Digits, rng: np.random.Generator) -> npt.NDArray[np.uint8]:
    """Three to eight pictures of what is no digit, gray (h, w)."""
    pieces = [rubbish.MAKERS[SORTS[int(rng.integers(len(SORTS)))]][1](digits, rng) for _ in range(rng.integers(3, 9))]
    shapes = [Shape("x", piece.astype(np.float32) / np.float32(255)) for piece in pieces]
    ink = write(shapes, Hand(height=HEIGHT, gap=(0.02, 0.4)), rng).ink
    return on_paper(ink, HEIGHT, (PLAIN, NOISY)[int(rng.integers(2))], rng)
