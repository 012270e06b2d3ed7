"""What fields are made of in tests: MNIST's digits by runs of a hundred, and marks that are plain boxes."""

import numpy as np

from training import datasets
from training.fields.hand import Shape
from training.fields.kinds import Sources
from training.fields.signs import MARKS, Marks, Writers, grouped


def writers(start: int = 0, count: int = 3000) -> Writers:
    digits = datasets.load("mnist-train")
    return grouped(digits, (np.arange(len(digits)) // 100).astype(np.int32), np.arange(start, start + count))


def marks() -> Marks:
    wide = {"-": (4, 16), "=": (9, 16), "/": (24, 4)}
    return Marks({char: (np.ones(wide.get(char, (8, 8)), np.float32),) for char in MARKS})


def sources() -> Sources:
    return Sources(writers(), marks())


def ring(char: str = "0") -> Shape:
    """A digit that can be reckoned with: a box of 20 x 12 with a hole."""
    ink = np.ones((20, 12), np.float32)
    ink[4:16, 4:8] = 0
    return Shape(char, ink)
