"""A line of a field as the space displacement network is shown it: 32 rows, of any width.

LeNet-5's field is 32 rows high, its digits 20; so are those of a strip, whatever the line's pixels are.
"""

from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from app.fields.line import Line

ROWS: Final = 32
BODY_ROWS: Final = 20  # of the digits' body, which lies in the middle
LEAST_COLUMNS: Final = 16
MAX_COLUMNS: Final = 4096
GROUND: Final = 4  # columns of ground on either side


def strip(line: Line) -> npt.NDArray[np.float32]:
    """(32, w), ink 0..1 on ground 0, w even and at most 4096: a line brought to a body of 20 rows.

    What lies more than six rows above or below the body is cut off. A line that would be wider is pressed together.
    """
    height, width = line.ink.shape
    scale = BODY_ROWS / max(line.bottom - line.top, 1.0)
    columns = 2 * int(np.clip(np.ceil(scale * width / 2), LEAST_COLUMNS // 2, MAX_COLUMNS // 2 - GROUND))
    across = min(scale, columns / width)
    source, at = line.ink, np.eye(2)
    if min(scale, across) < 0.7:  # bilinear interpolation alone would skip pixels
        small = max(1, round(width * across)), max(1, round(height * scale))
        source = cv2.resize(source, small, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)
        at = np.diag([width / small[0], height / small[1]])
    middle = (line.top + line.bottom) / 2
    matrix = np.array([[across * at[0, 0], 0, GROUND], [0, scale * at[1, 1], ROWS / 2 - scale * middle]])
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # pixel i covers i to i + 1; OpenCV's centre is i
    size = (columns + 2 * GROUND, ROWS)
    return cv2.warpAffine(source, matrix, size, flags=cv2.INTER_LINEAR).astype(np.float32, copy=False)
