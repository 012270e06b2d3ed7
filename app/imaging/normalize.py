"""A picture of one digit to the network's input, in MNIST's form (LeCun et al. 1998, section III.A).

    picture (h, w) --ink--> gray levels of ink --parts--> the digit alone --box--> 20 pixels, centred in (1, 32, 32)

A digit that has MNIST's size and lies on one clean level of gray keeps its pixels; only its place is mended.
"""

from dataclasses import dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

from app.errors import InvalidImage
from app.imaging.box import BOX, SIDE, SNAP, centred, scaled
from app.imaging.ink import Ink, clean_ink, ink_of
from app.imaging.parts import Mask, digit_mask

PREPROCESSING_ID = "mnist-20x20-centroid-1"
"""Names this definition of the input; a model states the one that it was trained on."""

INPUT_SHAPE = (1, SIDE, SIDE)
"""Channels, height and width of one input: float32, ink 0..1, background 0."""

WHITE = 255  # gray level
FULL_CONTRAST = 250  # gray levels: from here on ink is taken as it is, for MNIST's own brightest pixel is 254 or 255
BLANK_CONTRAST = 0.5  # gray levels between ink and ground under which a picture is blank
LOW_CONTRAST = 12.0  # gray levels
TOO_SMALL = 8  # pixels of the digit's longer side
SEEN = 0.2  # of the strongest ink: what is looked at to find the digit
EDGE = 0.4  # of the digit's own ink: where its edge is
EXACT_EDGE = 0.12  # the same where the ground is exact, as in MNIST, whose boxes reach to the faintest pixel
STRONGEST = 0.8  # of the strongest ink: at least so much contrast the digit has
ALONG = 0.9  # of the longer side: what runs so far along one side of the frame was cut off there, and is no digit
ROUNDING = 1e-3  # by which ink may be under 0 or over 1
SIGMAS = 4.0  # of the noise: what is above it is no noise

Reason = Literal["blank", "too_small", "low_contrast", "not_a_digit"]


@dataclass(frozen=True)
class Normalized:
    """One input of the network, and what speaks against its being a digit."""

    input: npt.NDArray[np.float32]  # (1, 32, 32), ink 0..1, background 0
    reasons: tuple[Reason, ...]


@dataclass(frozen=True)
class Digit:
    """The digit that was found in a picture's ink."""

    alone: npt.NDArray[np.float32]  # (h, w), ink 0..1 cut to the digit's own box
    box: tuple[int, int, int, int]  # x, y, width and height of that, in the pixels of the ink
    level: float  # its contrast, in gray levels
    cut_off: bool  # whether the picture's frame cuts it off


def normalize(picture: npt.NDArray[Any]) -> Normalized:
    """A gray picture, uint8 or float32 (h, w) in gray levels 0..255, in MNIST's form.

    Takes any picture that can be decoded: one without ink gives zeros and the reason `blank`. `app.imaging.steps`
    shows what it does one after the other.
    """
    clean = clean_ink(picture)
    if clean is not None and (box := box_of_mnist(clean)) is not None:
        return Normalized(centred(cut_to(box, clean)), ())
    ink = ink_of(picture, clean)
    digit = find_digit(ink)
    if digit is None:
        return Normalized(np.zeros(INPUT_SHAPE, np.float32), ("blank",))
    return Normalized(centred(scaled(digit.alone)), objections(digit, ink, picture))


def box_of_mnist(clean: npt.NDArray[Any]) -> tuple[int, int, int, int] | None:
    """The box (x, y, width, height) of a digit that has MNIST's size and contrast already, in what `clean_ink` found.

    None where there is none.
    """
    if cv2.minMaxLoc(clean)[1] < FULL_CONTRAST:
        return None
    x, y, width, height = cv2.boundingRect(clean if clean.dtype == np.uint8 else (clean > 0).view(np.uint8))
    return (x, y, width, height) if abs(max(width, height) - BOX) <= SNAP else None


def cut_to(box: tuple[int, int, int, int], clean: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """What is in a box of MNIST's, ink 0..1: float32 (height, width)."""
    x, y, width, height = box
    cut: npt.NDArray[np.float32] = np.divide(clean[y : y + height, x : x + width], WHITE, dtype=np.float32)
    return cut


def objections(digit: Digit, ink: Ink, picture: npt.NDArray[Any]) -> tuple[Reason, ...]:
    """What speaks against a digit that was found in the ink of a picture."""
    reasons: list[Reason] = ["not_a_digit"] if digit.cut_off else []
    longer = max(digit.alone.shape) * max(picture.shape) / max(ink.levels.shape)  # in the picture's own pixels
    if longer < TOO_SMALL:
        reasons.append("too_small")
    if digit.level < LOW_CONTRAST:
        reasons.append("low_contrast")
    return tuple(reasons)


def find_digit(ink: Ink) -> Digit | None:
    """The digit in the ink of a picture; None where there is no ink."""
    smooth, noise = _smoothed(ink)
    peak = float(smooth.max())
    if peak < BLANK_CONTRAST:
        return None
    if ink.exact:
        level, edge = peak, EXACT_EDGE
    else:
        seen = (smooth > max(SIGMAS * noise, SEEN * peak)).astype(np.uint8)
        if not seen.any():
            return None
        level, edge = _level(smooth[digit_mask(smooth, seen) > 0]), EDGE
    mask = digit_mask(smooth, (smooth > max(SIGMAS * noise, edge * level)).astype(np.uint8))
    x, y, width, height = cv2.boundingRect(mask)
    box = slice(y, y + height), slice(x, x + width)
    margin = max(1, round(max(width, height) * 0.02))
    near = cv2.dilate(mask[box], np.ones((3, 3), np.uint8), iterations=margin)  # with the digit's soft edge
    alone: npt.NDArray[np.float32] = np.minimum(ink.levels[box] * near / level, 1)
    return Digit(alone, (x, y, width, height), level, _cut_off(mask, max(width, height)))


def _cut_off(mask: Mask, longer: int) -> bool:
    """Whether a mask (h, w), `longer` pixels long, runs along a side of the picture and leaves the side opposite free.

    That is a piece of something larger: the edge of a photo's bright or dark area, say, which would pass for a 1. A
    crop to the digit's own box touches all sides, and a stroke that leaves the picture meets its frame for a moment.
    """
    sides = [cv2.countNonZero(line) for line in (mask[0], mask[-1], mask[:, 0], mask[:, -1])]
    pairs = ((0, 1), (1, 0), (2, 3), (3, 2))
    return any(sides[one] >= ALONG * longer and not sides[opposite] for one, opposite in pairs)


def _level(ink: npt.NDArray[np.float32]) -> float:
    """The digit's contrast, from pixels of ink (n,) that may hold more of a pale grid than of the digit."""
    usual, strongest = np.percentile(ink, (80, 98))
    return max(float(usual), STRONGEST * float(strongest))


def _smoothed(ink: Ink) -> tuple[npt.NDArray[np.float32], float]:
    """The ink blurred as its noise asks for, and the noise that is left."""
    share = ink.noise / max(float(ink.levels.max()), 1e-6) if ink.noise else 0.0
    if share < 0.02:
        return ink.levels, ink.noise
    sigma, left = (1.0, 0.3) if share < 0.08 else (1.6, 0.18)  # white noise falls to 1 / (2 sigma sqrt(pi))
    return cv2.GaussianBlur(ink.levels, (0, 0), sigma).astype(np.float32, copy=False), ink.noise * left


def from_mnist_form(
    batch: npt.NDArray[np.uint8], out: npt.NDArray[np.float32] | None = None
) -> npt.NDArray[np.float32]:
    """Digits in MNIST's form, uint8 (n, 28, 28) or (n, 32, 32), as inputs: float32 (n, 1, 32, 32).

    Padded with ground and scaled to 0..1, never normalised again. They are written into `out`, if given, whose margin
    is 0 already.
    """
    margin = (SIDE - batch.shape[1]) // 2
    inside = slice(margin, SIDE - margin)
    inputs = np.zeros((len(batch), *INPUT_SHAPE), np.float32) if out is None else out
    np.divide(batch, np.float32(WHITE), out=inputs[:, 0, inside, inside])
    return inputs


def from_input_form(batch: npt.NDArray[np.float32], first: int = 0) -> npt.NDArray[np.float32]:
    """Digits that are inputs already, float32 (n, 1, 32, 32), ink 0..1, background 0: as they are.

    Raises InvalidImage for values that are no ink, naming the picture by its place; `first` is that of the first.
    """
    if batch.size and not (batch.min() >= -ROUNDING and batch.max() <= 1 + ROUNDING):  # nor where one is NaN
        place = int(np.argmin(((batch >= -ROUNDING) & (batch <= 1 + ROUNDING)).all(axis=(1, 2, 3))))
        low, high = float(batch[place].min()), float(batch[place].max())
        raise InvalidImage(
            f"The picture {first + place} has values from {low:g} to {high:g}; ink is 0 to 1.",
            place=first + place,
            lowest=low,
            highest=high,
        )
    return batch
