"""Ink that is no digit: handwritten marks and letters, 28x28, scaled to the frame (so that a dot is a large blob)."""

from collections.abc import Mapping

import numpy as np

from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import RUBBISH, Array, Dataset

URL = "https://github.com/wblachowski/bhmsds"

_FILE = NpzFile(
    path="not_digits/ink_marks.npz",
    arrays=(
        ArraySpec("x", (6000, 28, 28), "|u1", "2c7a8ca73da46e2ad9771a1727b5a24ac1c1b3ae2335c2ff5a04040ea1ae6e4d"),
        ArraySpec("label", (6000,), "<U5", "f8b81e099c1394ff286a0c73d73e50c66b68050dd38acdffb61f4af10361f7e7"),
    ),
    by_hand=(
        f"It is made by hand from the pictures of {URL}: x holds 750 pictures of each of dot, minus, plus, slash, w, "
        "x, y and z as uint8, dark on white, label their names as text; save them with numpy.savez_compressed."
    ),
)


def _set(name: str, title: str, kinds: tuple[str, ...]) -> Dataset:
    def chosen(arrays: Mapping[str, Array]) -> tuple[Array, Array]:
        index = np.flatnonzero(np.isin(arrays["label"], kinds))
        return 255 - arrays["x"][index], np.full(len(index), RUBBISH)

    return Dataset(name, title, URL, "MIT", 750 * len(kinds), (_FILE,), chosen)


MARKS = _set("marks", "bhmsds, its dots, minuses and pluses", ("dot", "minus", "plus"))
"""What may be learnt as no digit."""

LETTERS = _set("letters", "bhmsds, its letters w, x and y", ("w", "x", "y"))
"""Never learnt from: what a network makes of shapes that it has not met."""

LOOKALIKES = _set("lookalikes", "bhmsds, its slashes and letters z", ("slash", "z"))
"""Never learnt from either: alone in a picture, a person reads most of them as a 1 or a 2."""
