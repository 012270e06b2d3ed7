"""What everything is drawn on: a panel of a given size, in a picture's own pixels but drawn finer, for smooth edges."""

from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from PIL import Image, ImageDraw, ImageFont

FINER: Final = 2  # a panel has so many pixels for each of the picture's, either way
WIDTH: Final = 936  # of all panels
MARGIN: Final = 32  # round them

GROUND: Final = "#ffffff"
INK: Final = "#1d2430"
MUTED: Final = "#69707d"
FAINT: Final = "#e4e7ec"
GOOD: Final = "#18794e"
DOUBTFUL: Final = "#c2570c"
BLUE: Final = "#2563eb"
CUT: Final = "#dc2626"
NOT_CUT: Final = "#aab4c3"

Point = tuple[float, float]
Box = tuple[float, float, float, float]
"""Left, top, right, bottom."""


class Panel:
    """A part of the picture; lengths are in the picture's pixels, text is placed by its anchor as Pillow has them."""

    def __init__(self, height: float) -> None:
        self.height = round(height)
        self.image = Image.new("RGB", (WIDTH * FINER, self.height * FINER), GROUND)
        self._draw = ImageDraw.Draw(self.image)

    def text(
        self, at: Point, text: str, size: float, *, color: str = INK, anchor: str = "ls", weight: int = 0
    ) -> float:
        """Write a line, bolder by `weight`; returns its width."""
        font = _font(size)
        place = (at[0] * FINER, at[1] * FINER)
        self._draw.text(place, text, fill=color, font=font, anchor=anchor, stroke_width=weight / 2, stroke_fill=color)
        return width_of(text, size)

    def rectangle(self, box: Box, fill: str | None = None, *, outline: str | None = None, radius: float = 0) -> None:
        """Filled, framed or both."""
        left, top, right, bottom = (value * FINER for value in box)
        corners = (left, top, max(right, left + 1), max(bottom, top + 1))
        self._draw.rounded_rectangle(corners, radius * FINER, fill, outline, FINER)

    def line(self, points: Sequence[Point], color: str, width: float = 1) -> None:
        """Through points."""
        scaled = [(x * FINER, y * FINER) for x, y in points]
        self._draw.line(scaled, fill=color, width=round(width * FINER), joint="curve")

    def picture(self, gray: npt.NDArray[Any], box: Box, *, smooth: bool = True) -> None:
        """Gray levels 0..255 (h, w), stretched."""
        left, top, right, bottom = (round(value * FINER) for value in box)
        size = (max(right - left, 1), max(bottom - top, 1))
        levels = Image.fromarray(np.clip(np.nan_to_num(gray), 0, 255).astype(np.uint8))
        way = Image.Resampling.LANCZOS if smooth else Image.Resampling.NEAREST
        self.image.paste(levels.resize(size, way), (left, top))


def stacked(panels: Sequence[Panel], gap: int) -> Image.Image:
    """One under the other, with the margin."""
    height = sum(panel.height for panel in panels) + gap * (len(panels) - 1) + 2 * MARGIN
    whole = Image.new("RGB", ((WIDTH + 2 * MARGIN) * FINER, height * FINER), GROUND)
    top = MARGIN
    for panel in panels:
        whole.paste(panel.image, (MARGIN * FINER, top * FINER))
        top += panel.height + gap
    return whole.reduce(FINER)


def width_of(text: str, size: float) -> float:
    """How wide a line is."""
    return _font(size).getlength(text) / FINER


def fitting(text: str, size: float, width: float, least: float = 7) -> float:
    """The largest size up to `size` at which a line is no wider than `width`."""
    return max(least, min(size, size * width / max(width_of(text, size), 1)))


def titled(height: float, title: str, remark: str = "") -> Panel:
    """A panel with a title over `height` pixels, which begin at 30."""
    panel = Panel(30 + height)
    width = panel.text((0, 14), title, 15, weight=1)
    panel.text((width + 14, 14), remark, fitting(remark, 13, WIDTH - width - 14), color=MUTED)
    return panel


def percent(share: float) -> str:
    """A probability in words: with as many places as tell it from 0 and 1."""
    if 0 < share < 0.0001:
        return "< 0.01 %"
    if 0.9999 < share < 1:
        return "> 99.99 %"
    if abs(share * 100 - round(share * 100)) < 1e-9:
        return f"{share * 100:.0f} %"
    return f"{100 * share:.{2 if share < 0.01 or share > 0.99 else 1}f} %"


@lru_cache(maxsize=64)
def _font(size: float) -> ImageFont.FreeTypeFont:
    font = ImageFont.load_default(size=size * FINER)
    assert isinstance(font, ImageFont.FreeTypeFont)  # noqa: S101 - what it gives for a size
    return font
