"""What a string is written on and how it was scanned: ink on a ground of 0 becomes gray levels.

Nothing here moves ink: the truth about a string's signs stays true.
"""

import io
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from training.fields.hand import Ink

Picture = npt.NDArray[np.uint8]
Surface = npt.NDArray[np.float32]  # (h, w)


@dataclass(frozen=True)
class Paper:
    """Chances are per field, strengths are the most that is drawn; levels are gray levels of 255."""

    contrast: tuple[float, float] = (0.6, 0.95)  # how much of the paper's light the ink takes
    light: float = 0.0  # the share of light that falls off along the field
    texture: float = 0.0  # levels of blotches and fibres
    guilloche: float = 0.0  # chance of a pattern of fine lines or dots
    guilloche_level: float = 40.0
    rules: float = 0.0  # chance of ruled lines, boxes or a frame
    blur: float = 0.0  # pixels, standard deviation, for digits of 40 pixels
    noise: float = 0.0  # levels, standard deviation
    jpeg: float = 0.0  # chance
    inverted: float = 0.0  # chance of light on dark
    bitonal: float = 0.0  # chance of a scan in black and white


PLAIN = Paper(noise=3.0)
"""A clean scan."""

NOISY = Paper(
    contrast=(0.4, 0.95), light=0.35, texture=14, guilloche=0.3, rules=0.45, blur=1.2, noise=9, jpeg=0.6, inverted=0.1
)
"""Paper with a texture, ruled now and then, somewhat out of focus, compressed."""

CHEQUE = Paper(
    contrast=(0.35, 0.9), light=0.25, texture=10, guilloche=0.85, rules=0.3, blur=0.9, noise=7, jpeg=0.2, bitonal=0.03
)
"""Security paper."""


def on_paper(ink: Ink, height: float, paper: Paper, rng: np.random.Generator) -> Picture:
    """Ink 0..1 (h, w) as a gray picture of it; the digits are some `height` pixels high."""
    rows, columns = ink.shape
    ground = np.full(ink.shape, rng.uniform(150, 250) if paper.texture else rng.uniform(215, 255))
    if paper.light:
        slope = np.linspace(0, 1, columns)[:: rng.choice((-1, 1))] * rng.uniform(0, paper.light)
        ground = ground * (1 - slope) * (1 - np.linspace(0, 1, rows)[:, None] * rng.uniform(0, paper.light / 2))
    if paper.texture:
        ground = ground + _texture(ink.shape, rng) * rng.uniform(0, paper.texture)
    if rng.random() < paper.guilloche:
        ground = ground - _guilloche(ink.shape, rng) * rng.uniform(0.1, 1) * paper.guilloche_level
    dark = ink * rng.uniform(*paper.contrast)
    if rng.random() < paper.rules:
        dark = np.maximum(dark, _rules(ink, height, rng) * rng.uniform(0.25, 0.8))
    picture = ground * (1 - dark)
    if paper.blur and (sigma := rng.uniform(0, paper.blur) * height / 40) > 0.3:
        picture = cv2.GaussianBlur(picture, (0, 0), sigma)
    if paper.noise:
        picture = picture + rng.normal(0, rng.uniform(0, paper.noise), ink.shape)
    if rng.random() < paper.bitonal:
        picture = np.where(picture > picture.mean() - 0.35 * (picture.mean() - picture.min()), 255.0, 0.0)
    if rng.random() < paper.inverted:
        picture = 255 - picture
    drawn: Picture = np.clip(np.rint(picture), 0, 255).astype(np.uint8)
    return _as_jpeg(drawn, int(rng.integers(35, 92))) if rng.random() < paper.jpeg else drawn


def _texture(shape: tuple[int, int], rng: np.random.Generator) -> Surface:
    """Noise of two grains, of deviation 1 or so."""
    total = np.zeros(shape, np.float32)
    for grain in rng.choice((1, 2, 3, 6, 12), 2, replace=False):
        small = rng.standard_normal((shape[0] // grain + 2, shape[1] // grain + 2), np.float32)
        total += cv2.resize(small, shape[::-1], interpolation=cv2.INTER_LINEAR)
    return total


def _guilloche(shape: tuple[int, int], rng: np.random.Generator) -> Surface:
    """Fine wavy lines in one or two directions, or dots: 0..1."""
    rows, columns = np.mgrid[: shape[0], : shape[1]].astype(np.float32)
    total = np.zeros(shape, np.float32)
    for _ in range(int(rng.integers(1, 3))):
        angle = rng.uniform(0, np.pi) if rng.random() < 0.5 else rng.normal(np.pi / 2, 0.2)
        along = columns * np.cos(angle) + rows * np.sin(angle)
        across = rows * np.cos(angle) - columns * np.sin(angle)
        wave = rng.uniform(0, 3) * np.sin(across / rng.uniform(6, 25) + rng.uniform(0, 6))
        lines = 0.5 + 0.5 * np.sin(2 * np.pi * (along + wave) / rng.uniform(3, 9))
        total = np.maximum(total, lines ** rng.uniform(1, 4))
    return total


def _rules(ink: Ink, height: float, rng: np.random.Generator) -> Surface:
    """Lines under or over the string, a frame, or a box round every place: 0..1."""
    rows, columns = ink.shape
    sheet = np.zeros(ink.shape, np.uint8)
    thick = max(1, round(height * rng.uniform(0.02, 0.06)))
    used = np.flatnonzero(ink.max(1) > 0.3)
    if not len(used):  # nothing is written: lines all the same
        used = np.array([rows // 4, rows - rows // 4 - 1])
    top, bottom = int(used[0]), int(used[-1])
    kind = rng.integers(4)
    if kind == 0:  # a base line, which may run through the feet of the digits
        y = bottom + round(height * rng.normal(0.04, 0.06))
        cv2.line(sheet, (0, y), (columns, y + round(columns * rng.normal(0, 0.01))), 255, thick)
    elif kind == 1:  # a line above and one below
        for y in (top - round(height * rng.uniform(0, 0.15)), bottom + round(height * rng.uniform(0, 0.15))):
            cv2.line(sheet, (0, y), (columns, y), 255, thick)
    elif kind == 2:  # a frame
        inset = int(rng.integers(0, 3))
        cv2.rectangle(sheet, (inset, inset), (columns - 1 - inset, rows - 1 - inset), 255, thick)
    else:  # a dotted line
        y = bottom + round(height * rng.uniform(0.02, 0.15))
        step = max(3, round(height * rng.uniform(0.1, 0.25)))
        for x in range(0, columns, step):
            cv2.line(sheet, (x, y), (x + step // 3, y), 255, thick)
    return sheet.astype(np.float32) / np.float32(255)


def _as_jpeg(picture: Picture, quality: int) -> Picture:
    stream = io.BytesIO()
    Image.fromarray(picture).save(stream, "JPEG", quality=quality)
    return np.asarray(Image.open(stream))
