"""The ground under the ink: paper, its light and its shadows, as a smooth surface.

First a quadratic surface (a slope and a vignette are two) is fitted to a low quantile of the brightness, by weighted
least squares repeated; then, in larger pictures, a blur that leaves the ink out follows what the quadratic cannot, such
as the edge of a shadow.
"""

import cv2
import numpy as np
import numpy.typing as npt

Gray = npt.NDArray[np.float32]

SURFACE_SIDE = 48  # pixels; the copy that a quadratic surface is fitted to
COARSE_SIDE = 96  # pixels; the copy that the rest of the ground is estimated on, for it is smooth
MIN_BLUR_SIDE = 64  # pixels; under this the ink leaves too little ground for anything but the quadratic
MIN_SURFACE_SIDE = 10  # pixels; under this a surface follows anything
NARROW = 0.5  # of the longer side
STROKE = 0.25  # of the coarse picture's longer side: no stroke is as wide
ROUNDS = 8  # of reweighting


def reduced(picture: Gray, side: int) -> Gray:
    """The picture with its longer side brought down to `side` pixels by area means; smaller ones stay as they are."""
    height, width = picture.shape
    scale = side / max(height, width)
    if scale >= 1:
        return picture
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA).astype(np.float32, copy=False)


def quadratic_surface(picture: Gray, quantile: float) -> Gray:
    """The quadratic surface (h, w) that has the given share of the picture's brightness under it.

    The asymmetric absolute error is minimised by iteratively reweighted least squares. The border counts as much as all
    the rest: there is seldom ink.
    """
    height, width = picture.shape
    rows, columns = np.meshgrid(np.linspace(-1, 1, height), np.linspace(-1, 1, width), indexing="ij")
    y, x = rows.ravel(), columns.ravel()
    terms = np.stack((np.ones_like(x), x, y, x * x, x * y, y * y), axis=1)  # (h w, 6)
    values = picture.ravel().astype(np.float64)
    border = np.ones((height, width), bool)
    border[1:-1, 1:-1] = False
    outside = border.ravel()
    importance = np.where(outside, max(1.0, (~outside).sum() / outside.sum()), 1.0)
    floor = max(float(values.max() - values.min()), 1e-6) * 0.02
    weights = importance
    surface = np.zeros_like(values)
    for _ in range(ROUNDS):
        weighted = terms * weights[:, None]
        # The small ridge keeps pictures of one row or column solvable.
        surface = terms @ np.linalg.solve(weighted.T @ terms + 1e-6 * np.eye(6), weighted.T @ values)
        residual = values - surface
        weights = importance * np.where(residual > 0, quantile, 1 - quantile) / np.maximum(np.abs(residual), floor)
    return surface.reshape(height, width).astype(np.float32)


def lighter_part(picture: Gray) -> npt.NDArray[np.uint8]:
    """1 where a picture (h, w) is lighter than Otsu's threshold, else 0."""
    low, high, _, _ = cv2.minMaxLoc(picture)
    levels = ((picture - low) * (255 / max(high - low, 1e-6))).astype(np.uint8)
    return cv2.threshold(levels, 0, 1, cv2.THRESH_BINARY | cv2.THRESH_OTSU)[1].astype(np.uint8)


def evenly_lit(picture: Gray) -> bool:
    """Whether two levels of gray tell more of a picture (h, w), at most 48 pixels a side, than a smooth surface does.

    A surface can follow the ink of a tight crop, which has little ground; the clearer the two levels, the more the
    surface has to gain. The same for the inverted picture.
    """
    if min(picture.shape) < MIN_SURFACE_SIDE:
        return True
    light = lighter_part(picture).astype(bool)
    if light.all() or not light.any():
        return True
    within = picture[light].var() * light.sum() + picture[~light].var() * (~light).sum()
    clear = 1 - float(within) / max(float(picture.var() * picture.size), 1e-6)
    from_level = float(np.abs(picture - np.median(picture)).mean())
    from_surface = float(np.abs(picture - quadratic_surface(picture, quantile=0.5)).mean())
    # Across a narrow picture, such as a 1 cut to its box, a surface follows any stroke.
    narrow = min(picture.shape) < NARROW * max(picture.shape)
    return clear > 0.8 and (narrow or from_level < (1.6 + 2 * (clear - 0.8)) * from_surface)


def ground_of(picture: Gray, even: bool) -> Gray:
    """The ground (h, w) under the ink of a picture (h, w) whose ink is the lighter part; `even` if it is evenly lit."""
    coarse = reduced(picture, COARSE_SIDE)
    if even:
        dark = coarse[lighter_part(coarse) == 0]
        return np.full_like(picture, np.median(dark) if dark.size else coarse.min())
    ground = _resized(quadratic_surface(reduced(coarse, SURFACE_SIDE), quantile=0.3), coarse)
    if min(picture.shape) >= MIN_BLUR_SIDE:
        ground = ground + _opened(coarse - ground)
        for _ in range(2):
            ground = _blurred_without_ink(coarse, ground)
    return _resized(ground, picture)


def _resized(surface: Gray, like: Gray) -> Gray:
    height, width = like.shape
    return cv2.resize(surface, (width, height), interpolation=cv2.INTER_LINEAR).astype(np.float32, copy=False)


def _opened(residual: Gray) -> Gray:
    """The residual without what is lighter and narrower than any stroke: no ink, but a shadow's edge is left."""
    side = round(STROKE * max(residual.shape)) | 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (side, side))
    smooth = cv2.GaussianBlur(residual, (0, 0), 1)
    return cv2.morphologyEx(smooth, cv2.MORPH_OPEN, disc).astype(np.float32, copy=False)


def _blurred_without_ink(picture: Gray, ground: Gray) -> Gray:
    """The picture blurred over the pixels that are no ink; where there are none, the ground known so far."""
    residual = picture - ground
    spread = 1.4826 * float(np.median(np.abs(residual - np.median(residual))))
    ink = (residual > max(3 * spread, 0.15 * float(residual.max()))).astype(np.uint8)
    paper = 1 - cv2.dilate(ink, np.ones((5, 5), np.uint8)).astype(np.float32)
    sigma = COARSE_SIDE / 22
    total = cv2.GaussianBlur(paper, (0, 0), sigma)
    level = cv2.GaussianBlur(paper * picture, (0, 0), sigma)
    blurred: Gray = ((level + 0.02 * ground) / (total + 0.02)).astype(np.float32, copy=False)
    return blurred
