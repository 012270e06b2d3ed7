"""How the page's pictures look: seven inches wide, so that the text is readable where the page is 700 pixels wide."""

from io import BytesIO
from typing import Any

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from PIL import Image

WIDTH = 7.0  # inches
DPI = 150
INK, ACCENT, PALE, GREEN, GRAY = "#1f4e79", "#c0392b", "#9db8d1", "#2e7d4f", "#777777"
SMALL = 8  # points
COLOURS = 128  # of the palette, so that a picture is a small file

Picture = npt.NDArray[np.floating[Any]]


def sheet(height: float) -> Figure:
    """An empty figure, `height` in inches; no display, no global state."""
    return Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained")


def png(figure: Figure) -> bytes:
    """The content of a PNG file."""
    drawn, small = BytesIO(), BytesIO()
    figure.savefig(drawn, format="png")
    image = Image.open(drawn).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(small, "PNG", optimize=True)
    return small.getvalue()


def show(axes: Axes, picture: Picture, title: str = "", *, signed: bool = False, limit: float | None = None) -> None:
    """A map in gray, dark where it is high; where 0 is the middle (`signed`), red above and blue below it."""
    if signed:
        reach = float(np.abs(picture).max()) if limit is None else limit
        axes.imshow(picture, cmap="RdBu_r", vmin=-reach, vmax=reach, interpolation="nearest")
    else:
        axes.imshow(picture, cmap="gray_r", interpolation="nearest")
    axes.set_xticks([])
    axes.set_yticks([])
    for spine in axes.spines.values():
        spine.set_linewidth(0.4)
        spine.set_color(GRAY)
    if title:
        axes.set_title(title, fontsize=SMALL)


def plain(axes: Axes) -> None:
    """A plot without the frame's upper right half, its text small."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=SMALL)
    axes.xaxis.label.set_fontsize(SMALL + 1)
    axes.yaxis.label.set_fontsize(SMALL + 1)
    axes.title.set_fontsize(SMALL + 1)
    axes.grid(alpha=0.25, linewidth=0.5)
