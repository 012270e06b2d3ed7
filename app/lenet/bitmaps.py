"""The targets of the RBF output: one 7x12 bitmap a digit, in the manner of the paper's Figure 3.

An Euclidean RBF unit measures how far the 84 outputs of F6 are from the 84 = 7 * 12 pixels of a stylised picture of
its class. Such a code is distributed, not one-of-n: classes that look alike have codes that are alike, which is what a
reader of character strings wants, and +-1 lies inside the range of the scaled tanh, where its curvature is greatest,
so that no unit is driven into saturation (the paper, section II.B). docs/model.md shows them as a picture.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

BITMAP_WIDTH: Final = 7
BITMAP_HEIGHT: Final = 12

# Row by row from the top, "#" = +1, "." = -1; the ten digits stand side by side: 0 to 4, then 5 to 9.
_ROWS_0_TO_4: Final = """
..###..  ...##..  .#####.  .#####.  ##...##
.#####.  ..###..  #######  #######  ##...##
##...##  .####..  ##...##  ##...##  ##...##
##...##  ...##..  .....##  .....##  ##...##
##...##  ...##..  .....##  .....##  ##...##
##...##  ...##..  ....##.  ..####.  #######
##...##  ...##..  ...##..  ..####.  .######
##...##  ...##..  ..##...  .....##  .....##
##...##  ...##..  .##....  .....##  .....##
##...##  ...##..  ##.....  ##...##  .....##
.#####.  .######  #######  #######  .....##
..###..  .######  #######  .#####.  .....##
"""
_ROWS_5_TO_9: Final = """
#######  ..####.  #######  .#####.  .#####.
#######  .#####.  #######  #######  #######
##.....  ##.....  ##...##  ##...##  ##...##
##.....  ##.....  .....##  ##...##  ##...##
######.  ##.....  ....##.  .##.##.  ##...##
#######  ######.  ....##.  ..###..  #######
.....##  #######  ...##..  .#####.  .######
.....##  ##...##  ...##..  ##...##  .....##
.....##  ##...##  ..##...  ##...##  .....##
##...##  ##...##  ..##...  ##...##  .....##
#######  #######  .##....  #######  .#####.
.#####.  .#####.  .##....  .#####.  .####..
"""

BITMAP_COUNT: Final = 10
"""How many classes an RBF output can have."""


def bitmaps() -> NDArray[np.float32]:
    """The bitmaps of the digits 0 to 9, float32 (10, 84), -1 or +1, each row by row from its top left."""
    digits = [
        [column for line in lines for column in line[digit]]
        for lines in (_lines(_ROWS_0_TO_4), _lines(_ROWS_5_TO_9))
        for digit in range(5)
    ]
    return np.where(np.array(digits) == "#", np.float32(1), np.float32(-1))  # (10, 84)


def _lines(rows: str) -> list[list[str]]:
    return [line.split() for line in rows.split("\n") if line]
