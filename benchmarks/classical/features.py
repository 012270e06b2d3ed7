"""Features made by hand: what people measured on a picture before networks learnt what to measure.

Each takes inputs in the network's own form, laid flat, float32 (n, 1024), ink 0..1, and gives float32 (n, features).
"""

from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from skimage.feature import hog as skimage_hog

from app.imaging import INPUT_SHAPE

Floats = npt.NDArray[np.floating[Any]]

SIDE = INPUT_SHAPE[-1]

HOG_CELL = 5  # pixels: about the width of two strokes
HOG_BLOCK = 2  # cells, over which histograms are normalised together
HOG_ORIENTATIONS = 9

SOBEL_POOL = 2  # pixels: edges are averaged over so many by so many

SIFT_SIZE = 4.0  # pixels: diameter of a keypoint; each of a descriptor's 4x4 cells is 1.5 times as wide
SIFT_GRID = (6, 12, 19, 25)  # pixels, across and down: 16 keypoints cover the digit


def pictures(flat: Floats) -> npt.NDArray[np.float32]:
    """The inputs as pictures: float32 (n, 32, 32)."""
    return flat.reshape(-1, SIDE, SIDE).astype(np.float32, copy=False)


def sobel_magnitude(picture: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """How steeply the ink changes at each pixel of (32, 32), whichever way (Sobel and Feldman 1968)."""
    across = cv2.Sobel(picture, cv2.CV_32F, 1, 0)
    down = cv2.Sobel(picture, cv2.CV_32F, 0, 1)
    return np.asarray(np.hypot(across, down), np.float32)


def sobel(flat: Floats) -> npt.NDArray[np.float32]:
    """The strength of the edges, averaged over 2x2 pixels: (n, 256)."""
    edges = np.stack([sobel_magnitude(picture) for picture in pictures(flat)])
    cells = SIDE // SOBEL_POOL
    pooled = edges.reshape(-1, cells, SOBEL_POOL, cells, SOBEL_POOL).mean(axis=(2, 4))
    return np.asarray(pooled.reshape(len(edges), -1), np.float32)


def hog(flat: Floats) -> npt.NDArray[np.float32]:
    """Histograms of oriented gradients (Dalal and Triggs 2005), 9 directions in 6x6 cells of 5x5 pixels: (n, 900)."""
    cell, block = (HOG_CELL, HOG_CELL), (HOG_BLOCK, HOG_BLOCK)
    rows = [skimage_hog(picture, HOG_ORIENTATIONS, cell, block) for picture in pictures(flat)]
    return np.asarray(rows, np.float32)


def sift_keypoints() -> list[cv2.KeyPoint]:
    """The 16 places where SIFT describes a digit; upright, for a digit may not be turned."""
    return [cv2.KeyPoint(float(x), float(y), SIFT_SIZE, 0.0) for y in SIFT_GRID for x in SIFT_GRID]


def sift(flat: Floats) -> npt.NDArray[np.float32]:
    """SIFT descriptors (Lowe 2004) on a fixed grid, side by side: (n, 16 * 128).

    On a grid, since the detector finds next to nothing in 32x32 pixels.
    """
    extractor, keypoints = cv2.SIFT_create(), sift_keypoints()  # type: ignore[attr-defined]
    levels = np.rint(pictures(flat) * 255).astype(np.uint8)
    rows = [extractor.compute(picture, keypoints)[1].ravel() for picture in levels]
    return np.asarray(rows, np.float32) / np.float32(512)  # components of a descriptor are 0..255, its length about 512
