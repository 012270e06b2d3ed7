"""Pictures of fields to test with: digits drawn by OpenCV's own font, whose boxes are known, and hostile ones."""

from collections.abc import Callable

import cv2
import numpy as np

FONT, SCALE, WEIGHT = cv2.FONT_HERSHEY_SIMPLEX, 1.5, 3
HEIGHT, MARGIN = 80, 20


def drawn(text: str, touching: bool) -> tuple[np.ndarray, list[tuple[int, int, int, int]]]:
    """Digits, ink 0..255 on 0, and their boxes (left, top, right, bottom)."""
    canvas = np.zeros((HEIGHT, 60 * len(text) + 2 * MARGIN), np.uint8)
    boxes = []
    at = MARGIN
    for char in text:
        one = np.zeros((HEIGHT, 80), np.uint8)
        cv2.putText(one, char, (20, 58), FONT, SCALE, 255, WEIGHT, cv2.LINE_AA)
        x, y, w, h = cv2.boundingRect(one)
        part = canvas[y : y + h, at : at + w]
        np.maximum(part, one[y : y + h, x : x + w], out=part)
        boxes.append((at, y, at + w, y + h))
        at += w + (-1 if touching else 8)
    return canvas[:, : at + MARGIN], boxes


def amount(text: str, touching: bool = False) -> np.ndarray:
    """A field of digits, dark on light, uint8."""
    return 255 - drawn(text, touching)[0]


def boxes_of(text: str, touching: bool = False) -> list[tuple[int, int, int, int]]:
    return drawn(text, touching)[1]


def _noise(*shape: int) -> np.ndarray:
    return np.random.default_rng(1).integers(0, 256, shape, np.uint8)


HOSTILE: dict[str, Callable[[], np.ndarray]] = {
    "one pixel": lambda: np.full((1, 1), 7, np.uint8),
    "black": lambda: np.zeros((40, 90), np.uint8),
    "white": lambda: np.full((40, 90), 255, np.uint8),
    "one row": lambda: _noise(1, 500),
    "one column": lambda: _noise(500, 1),
    "two by two": lambda: np.array([[0, 255], [255, 0]], np.uint8),
    "noise": lambda: _noise(60, 400),
    "very wide": lambda: _noise(40, 20_000),
    "very high": lambda: _noise(20_000, 40),
    "wide digits": lambda: np.tile(amount("20468"), (1, 60)),
    "stripes": lambda: np.tile(np.array([0, 0, 255, 255], np.uint8), (50, 200)),
    "checks": lambda: np.kron(np.indices((20, 60)).sum(axis=0) % 2, np.ones((4, 4))).astype(np.uint8) * 255,
    "half": lambda: np.repeat(np.array([0, 255], np.uint8), 100)[None].repeat(50, axis=0),
    "one dot": lambda: np.pad(np.zeros((3, 3), np.uint8), 40, constant_values=255),
    "floats": lambda: _noise(50, 200).astype(np.float32) + np.float32(0.25),
    "halves": lambda: _noise(50, 200).astype(np.float16),
    "not finite": lambda: np.where(_noise(50, 200) > 250, np.nan, np.float32(9)),
}
