"""The ink of a field against its local ground: uneven light, the paper's texture and guilloche.

A field is wide and low, and its strokes are thin against its height: the ground is what is left when they are taken
out, and the ink is what stands out from it by clearly more than the paper's own texture does.
"""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.polarity import ratio, sum_of_cubes

Gray = npt.NDArray[np.float32]
Mask = npt.NDArray[np.uint8]

WORK_HEIGHT = 160  # pixels; higher pictures are reduced to this first
WORK_WIDTH = 8192  # pixels; likewise
COARSE_HEIGHT = 32  # pixels; the copy that the ground is estimated on, for it is smooth
POLARITY_HEIGHT = 48  # pixels; the copy that tells whether the ink is light
DETAIL = 0.15  # of the picture's height: what is thinner is detail
STROKE = 0.25  # of the picture's height: no stroke is as wide
BLANK_CONTRAST = 0.5  # gray levels between ink and ground under which a picture is blank
ROUNDS = 3  # of estimating the ground without the ink found so far
TEXTURE_SIGMAS = 3.0  # of the paper's texture: what stands out less is paper
WEAKEST, STRONGEST = 0.25, 0.55  # of the ink's contrast: where its edge may be set
LINKED = 0.6  # of the edge's level: ink as faint as this counts where it hangs together with stronger ink


@dataclass(frozen=True)
class FieldInk:
    """Where the ink of a field is, and how much of it."""

    ink: Gray  # (h, w), 0..1, 0 outside the mask and its soft edge
    mask: Mask  # (h, w), 1 where there is ink
    contrast: float  # gray levels between ink and ground
    light: bool  # the ink is lighter than its ground


def reduced(picture: npt.NDArray[np.uint8] | Gray) -> Gray:
    """A gray picture (h, w) as float32, with its height and width brought down to what is worked on, by area means."""
    height, width = picture.shape
    scale = min(WORK_HEIGHT / height, WORK_WIDTH / width, 1.0)
    if scale == 1.0:
        return picture.astype(np.float32)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def field_ink(picture: npt.NDArray[np.uint8] | Gray) -> FieldInk:
    """The ink of a gray picture (h, w) in gray levels 0..255, reduced; the same for the inverted picture."""
    light = ink_is_light(reduced(picture))
    work = reduced(picture if light else 255 - picture)
    residual = work - ground_of(work)
    texture = _texture(residual)
    smooth = cv2.GaussianBlur(residual, (0, 0), 0.7) if texture > 1.0 else residual
    edge, contrast = _levels(smooth, texture)
    strong = (smooth > edge).astype(np.uint8)
    if contrast < BLANK_CONTRAST or not strong.any():
        return FieldInk(np.zeros_like(work), np.zeros_like(strong), contrast, light)
    weak = (smooth > max(LINKED * edge, min(edge, 2.0 * texture))).astype(np.uint8)
    mask = _holding(weak, strong)
    low = min(2.0 * texture, 0.5 * edge)
    soft = np.clip((residual - low) / max(0.9 * contrast - low, 1e-6), 0, 1).astype(np.float32)
    near = cv2.dilate(mask, np.ones((3, 3), np.uint8))
    return FieldInk(soft * near, mask, contrast, light)


def ink_is_light(picture: Gray) -> bool:
    """Whether the ink of a field (h, w) is lighter than its ground; the opposite for the inverted picture.

    Ink stands out from the smooth ground, and it is thin; a band of lighter paper is not.
    """
    height, width = picture.shape
    scale = min(1.0, POLARITY_HEIGHT / height, WORK_WIDTH / 8 / width)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    smooth = cv2.GaussianBlur(coarse, (0, 0), 0.7)
    side = max(3, round(DETAIL * size[1]) | 1)
    kernel = np.ones((side, side), np.uint8)
    above = sum_of_cubes(cv2.morphologyEx(smooth, cv2.MORPH_TOPHAT, kernel))
    below = sum_of_cubes(cv2.morphologyEx(smooth, cv2.MORPH_BLACKHAT, kernel))
    votes = [ratio(above - below, above + below)]
    for ground in (cv2.blur(smooth, (size[1], size[1])), np.median(smooth, axis=1, keepdims=True)):
        residual = smooth - ground
        residual -= np.median(residual)
        votes.append(ratio(sum_of_cubes(residual), sum_of_cubes(np.abs(residual))))
    return sum(votes) > 1e-3


def ground_of(picture: Gray) -> Gray:
    """The smooth ground (h, w) under the ink of a field whose ink is the lighter part."""
    height, width = picture.shape
    scale = min(1.0, COARSE_HEIGHT / height)
    size = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
    side = max(3, round(STROKE * size[1]) | 1)
    opened = cv2.morphologyEx(coarse, cv2.MORPH_OPEN, np.ones((side, side), np.uint8))
    sigma = max(1.0, 0.3 * size[1])
    ground = cv2.GaussianBlur(opened, (0, 0), sigma).astype(np.float32, copy=False)
    for _ in range(ROUNDS):
        residual = coarse - ground
        spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
        ink = (residual > max(2.5 * spread, 0.2 * float(residual.max()))).astype(np.uint8)
        paper = 1 - cv2.dilate(ink, np.ones((3, 3), np.uint8)).astype(np.float32)
        total = cv2.GaussianBlur(paper, (0, 0), sigma)
        level = cv2.GaussianBlur(paper * coarse, (0, 0), sigma)
        ground = ((level + 0.02 * ground) / (total + 0.02)).astype(np.float32, copy=False)
    return cv2.resize(ground, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _texture(residual: Gray) -> float:
    """How far the paper's own texture departs from its ground, as a standard deviation in gray levels.

    From the darker half of the residuals, which has no ink in it.
    """
    low, middle = np.percentile(residual, (5, 40))
    return max(float(middle - low) / 1.39, 0.0)  # of a normal distribution's deviations between those two


def _levels(residual: npt.NDArray[Any], texture: float) -> tuple[float, float]:
    """Where the edge of the ink is, and its contrast, in gray levels above the ground."""
    low, high = 0.0, float(np.percentile(residual, 99.5))
    levels = (np.clip((residual - low) / max(high - low, 1e-6), 0, 1) * 255).astype(np.uint8)
    otsu = cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[0] / 255 * (high - low) + low
    inside = residual[residual > max(otsu, TEXTURE_SIGMAS * texture)]
    contrast = float(np.percentile(inside, 75)) if inside.size else max(high, 0.0)
    edge = min(max(otsu, TEXTURE_SIGMAS * texture, WEAKEST * contrast), STRONGEST * contrast)
    return float(edge), contrast


def _holding(weak: Mask, strong: Mask) -> Mask:
    """The pieces of the weak mask that hold something of the strong one (hysteresis)."""
    count, labels = cv2.connectedComponents(weak, connectivity=8)
    held = np.zeros(count, np.uint8)
    held[labels[strong > 0]] = 1
    held[0] = 0
    mask: Mask = held[labels]
    return mask
