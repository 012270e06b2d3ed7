"""Pictures that nobody should take for a digit: noise, blanks, filled boxes, pieces of a photo. Always the same ones.

Nothing is learnt from them and nothing is chosen by them: they show what a model makes of what it was never meant for.
"""

from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]

SEED = 1998
NOISE = 500  # pictures of each size
PHOTO = "grace_hopper.jpg"
"""A portrait of Grace Hopper, by the US Navy and in the public domain, that comes with matplotlib."""

BOX_SIDES = range(6, 25, 3)  # pixels, in a picture of 28
BOX_LEVELS = ((255, 0), (40, 0), (255, 200), (0, 255), (200, 255), (0, 60))  # gray of the box, and of its ground
CROPS = 500


def make() -> dict[str, list[Picture]]:
    """Gray pictures (h, w) by kind, for `app.imaging.normalize`."""
    rng = np.random.default_rng(SEED)
    return {
        "noise, 28x28": [rng.integers(0, 256, (28, 28), np.uint8) for _ in range(NOISE)],
        "noise, 64x64": [rng.integers(0, 256, (64, 64), np.uint8) for _ in range(NOISE)],
        "blank": [np.full((28, 28), level, np.uint8) for level in range(0, 256, 15)],
        "filled box": _boxes(),
        "piece of a photo": _crops(rng),
    }


def _boxes() -> list[Picture]:
    """As high as wide, or nearly: a high and narrow one would be a 1."""
    boxes = []
    for height in BOX_SIDES:
        for width in (height, min(25, height + height // 2), height - height // 4):
            for box, ground in BOX_LEVELS:
                picture = np.full((28, 28), ground, np.uint8)
                top, left = (28 - height) // 2, (28 - width) // 2
                picture[top : top + height, left : left + width] = box
                boxes.append(picture)
    return boxes


def _crops(rng: np.random.Generator) -> list[Picture]:
    """Squares of 28 to 256 pixels, from anywhere."""
    with Image.open(Path(mpl.get_data_path(), "sample_data", PHOTO)) as photo:
        gray = np.asarray(photo.convert("L"))
    crops = []
    for side in np.exp(rng.uniform(np.log(28), np.log(256), CROPS)).astype(int):
        top, left = (int(rng.integers(0, size - side + 1)) for size in gray.shape)
        crops.append(gray[top : top + side, left : left + side])
    return crops
