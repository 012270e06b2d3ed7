"""Ink to MNIST's form (LeCun et al. 1998, III.A): a 20x20 box, the aspect kept, the centre of mass in the middle."""

import math

import cv2
import numpy as np
import numpy.typing as npt

Ink = npt.NDArray[np.float32]

SIDE = 32  # pixels of the network's input
BOX = 20  # pixels of the digit's longer side
CENTRE = 16  # pixel, counted from 0, that the centre of mass falls into; 14 in MNIST's own 28x28
SNAP = 1  # pixel: a digit whose longer side is 19 to 21 is not resampled, which would only blur it
MIN_STROKE = 1.6  # pixels of the 20x20 box; thinner strokes are widened, or they would fade away
MAX_STROKE = 4.5  # pixels of the 20x20 box; thicker strokes are thinned: 99 % of MNIST's digits have less
# On held-out MNIST writers made very bold, 4.0 to 5.5 differ by less than their two seeds do; USPS is the same by all.


def scaled(ink: Ink) -> Ink:
    """Ink 0..1 cut to the digit's own box (h, w), with its longer side brought to 20 pixels."""
    height, width = ink.shape
    longer = max(height, width)
    if abs(longer - BOX) <= SNAP:
        return ink
    scale = BOX / longer
    if scale < 1:
        ink = _with_usual_stroke(ink, scale)
        height, width = ink.shape
    size = max(1, round(width * scale)), max(1, round(height * scale))
    shrinking = scale < 1
    small = np.clip(cv2.resize(ink, size, interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC), 0, 1)
    peak = float(small.max())
    return (small / peak if peak > 0 else small).astype(np.float32, copy=False)


def _with_usual_stroke(ink: Ink, scale: float) -> Ink:
    """The ink with its strokes dilated or eroded into the range of widths that MNIST has, at a later `scale`."""
    mask = (ink > 0.5).astype(np.uint8)
    area = int(np.count_nonzero(mask))
    if area == 0:
        return ink
    # On a grid the distances to the ground across a stroke of width w have the mean (w + 2) / 4.
    distance = cv2.distanceTransform(cv2.copyMakeBorder(mask, 1, 1, 1, 1, cv2.BORDER_CONSTANT), cv2.DIST_L2, 5)
    found = max(4 * float(distance.sum()) / area - 2, 1.0)
    missing = round(MIN_STROKE / scale - found)
    if missing >= 1:
        return cv2.dilate(ink, _disc(missing)).astype(np.float32, copy=False)
    excess = round(found - MAX_STROKE / scale)
    if excess >= 1:
        outside = cv2.BORDER_CONSTANT
        thinned = cv2.erode(ink, _disc(excess), borderType=outside, borderValue=(0,)).astype(np.float32, copy=False)
        return thinned if thinned.max() > 0.5 else ink
    return ink


def _disc(pixels: int) -> npt.NDArray[np.uint8]:
    """What changes a stroke's width by that many pixels."""
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (pixels + 1, pixels + 1)).astype(np.uint8)


def centred(ink: Ink) -> npt.NDArray[np.float32]:
    """Ink 0..1 of at most 32x32 on a ground of 0, (1, 32, 32), moved by whole pixels to its centre of mass."""
    height, width = ink.shape
    top, left = place_of(ink)
    out = np.zeros((1, SIDE, SIDE), np.float32)
    out[0, top : top + height, left : left + width] = ink
    return out


def place_of(ink: Ink) -> tuple[int, int]:
    """The row and the column of the 32x32 that ink's first row and column come to."""
    height, width = ink.shape
    moments = cv2.moments(ink)
    mass = moments["m00"]
    top = left = 0
    if mass > 0:
        top = math.floor(CENTRE - moments["m01"] / mass + 0.5)
        left = math.floor(CENTRE - moments["m10"] / mass + 0.5)
    return min(max(top, 0), SIDE - height), min(max(left, 0), SIDE - width)
