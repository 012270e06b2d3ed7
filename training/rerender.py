"""Digits drawn anew as callers might send them: other sizes, papers, pens, light, and places in the picture.

What comes out is a picture for `app.imaging.normalize`, so that training sees what serving makes of such a picture.
"""

import io

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

Picture = npt.NDArray[np.uint8]


def rerendered(digit: Picture, rng: np.random.Generator) -> Picture:
    """A digit (h, w), ink 255 on 0, as gray levels of a picture of 16 to 160 pixels a side, dark on light or not."""
    size = int(np.exp(rng.uniform(np.log(12), np.log(100))))  # of the whole 28x28 frame or the like, in pixels
    shrinking = size < max(digit.shape)
    ink = cv2.resize(digit, (size, size), interpolation=cv2.INTER_AREA if shrinking else cv2.INTER_CUBIC) / 255.0
    if size > 40:  # a pen's edge is sharper than an enlarged pixel's
        ink = np.clip((ink - 0.5) * rng.uniform(1, size / 20) + 0.5, 0, 1)
    margin = rng.integers(1, size // 2 + 2, 4)
    ink = np.pad(ink, ((margin[0], margin[1]), (margin[2], margin[3])))
    paper = np.full(ink.shape, rng.uniform(170, 255))
    if rng.random() < 0.4:  # light from one side
        paper *= 1 - rng.uniform(0, 0.35) * np.linspace(0, 1, ink.shape[1])[:: rng.choice((-1, 1))]
    picture = paper * (1 - ink * rng.uniform(0.4, 1))
    if rng.random() < 0.4:
        picture = cv2.GaussianBlur(picture, (0, 0), rng.uniform(0.3, 0.012 * size + 0.4))
    if rng.random() < 0.5:
        picture += rng.normal(0, rng.uniform(1, 8), picture.shape)
    if rng.random() < 0.15:  # a scan in black and white
        picture = np.where(picture > picture.max() - 0.5 * np.ptp(picture), 255.0, 0.0)
    if rng.random() < 0.3:
        picture = 255 - picture
    drawn: Picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return _as_jpeg(drawn, int(rng.integers(40, 95))) if rng.random() < 0.3 else drawn


def _as_jpeg(picture: Picture, quality: int) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))
