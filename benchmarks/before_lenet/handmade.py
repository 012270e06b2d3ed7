"""Features made by hand, drawn over the digit that they were taken of."""

import cv2
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from skimage.feature import hog

from benchmarks.before_lenet.sheet import ACCENT, INK, PALE, png, sheet, show
from benchmarks.classical.features import (
    HOG_CELL,
    HOG_ORIENTATIONS,
    SIFT_SIZE,
    sift_keypoints,
    sobel_magnitude,
)

Input = npt.NDArray[np.float32]  # (32, 32)

CELLS, DIRECTIONS = 4, 8  # of a SIFT descriptor: 4x4 cells, each with a histogram of 8 directions
CELL_WIDTH = 3 * SIFT_SIZE / 2  # pixels: a cell is three times the keypoint's scale, which is half its size
SIFT_SHOWN = 6  # of the keypoints: right of the middle, and above it


def handmade(digit: Input) -> bytes:
    """The digit, its edges by Sobel, its HOG and its SIFT descriptors."""
    figure = sheet(2.05)
    picture, edges, gradients, descriptors = figure.subplots(1, 4)
    show(picture, digit, "the input")
    show(edges, sobel_magnitude(digit), "Sobel: how steep")
    draw_hog(gradients, digit)
    draw_sift(descriptors, digit)
    return png(figure)


def draw_hog(axes: Axes, digit: Input) -> None:
    """For each cell a star: along each direction of edge a line, as long as the histogram's bin is high."""
    show(axes, digit * 0.25, "HOG: which way edges run")
    axes.images[0].set_clim(0, 1)
    cells = len(digit) // HOG_CELL
    # One block of all cells: their histograms as they are to one another.
    whole = hog(digit, HOG_ORIENTATIONS, (HOG_CELL,) * 2, (cells,) * 2, block_norm="L2", feature_vector=False)[0, 0]
    for row in range(cells):
        for column in range(cells):
            for direction, value in enumerate(whole[row, column] / whole.max()):
                # A bin is the gradient's direction; the edge runs across it.
                angle = np.pi * (direction + 0.5) / HOG_ORIENTATIONS + np.pi / 2
                x, y = HOG_CELL * (column + 0.5) - 0.5, HOG_CELL * (row + 0.5) - 0.5
                _stroke(axes, x, y, angle, HOG_CELL * value, both=True)


def draw_sift(axes: Axes, digit: Input) -> None:
    """One keypoint: for each of its descriptor's cells a star of 8 arrows, as long as its bins are high."""
    show(axes, digit * 0.25, f"SIFT: at 1 of {len(sift_keypoints())} places")
    axes.images[0].set_clim(0, 1)
    keypoint = sift_keypoints()[SIFT_SHOWN]
    levels = np.rint(digit * 255).astype(np.uint8)
    _, (descriptor,) = cv2.SIFT_create().compute(levels, [keypoint])  # type: ignore[attr-defined]
    bins = descriptor.reshape(CELLS, CELLS, DIRECTIONS) / max(float(descriptor.max()), 1)
    for row in range(CELLS):
        for column in range(CELLS):
            x = keypoint.pt[0] + (column - 1.5) * CELL_WIDTH
            y = keypoint.pt[1] + (row - 1.5) * CELL_WIDTH
            for direction, value in enumerate(bins[row, column]):
                # OpenCV's SIFT counts directions with rows going up.
                _stroke(axes, x, y, -2 * np.pi * direction / DIRECTIONS, CELL_WIDTH / 2 * value, both=False)
    for line in range(CELLS + 1):
        ends, place = np.array([-0.5, 0.5]) * CELLS * CELL_WIDTH, (line - CELLS / 2) * CELL_WIDTH
        axes.plot(keypoint.pt[0] + ends, [keypoint.pt[1] + place] * 2, color=PALE, linewidth=0.6)
        axes.plot([keypoint.pt[0] + place] * 2, keypoint.pt[1] + ends, color=PALE, linewidth=0.6)
    axes.set_xlim(-0.5, 31.5)
    axes.set_ylim(31.5, -0.5)


def _stroke(axes: Axes, x: float, y: float, angle: float, length: float, *, both: bool) -> None:
    """A line from (x, y), or through it, in pixels; angles go from right to down, as rows do."""
    across, down = np.cos(angle) * length / (2 if both else 1), np.sin(angle) * length / (2 if both else 1)
    start = (x - across, y - down) if both else (x, y)
    if length > 0.15:
        axes.plot([start[0], x + across], [start[1], y + down], color=ACCENT if both else INK, linewidth=0.9)
