"""Signs of free fonts, drawn 64x64: the ten digits and the marks that stand in amounts."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from training.datasets.npz import ArraySpec, NpzFile
from training.datasets.source import locate

LICENCE = "the fonts are free ones of Debian's packages"

GLYPHS = NpzFile(
    path="not_digits/font_glyphs.npz",
    arrays=(
        ArraySpec("x", (206, 64, 64), "|u1", "f8600d74c1f112f25e578ce0473c49eef9adf151816f9042fb5e62a620ecdb9c"),
        ArraySpec("char", (206,), "<U1", "98c3259b1569e196a927d6a1c426d310bff733cb0d2172bcd4a4424f22140748"),
        ArraySpec("font", (206,), "<U29", "51cc25b65c5904992e3193cc335f0e10ee9240fb85ca3f586f3971f0b47da419"),
        ArraySpec("kind", (206,), "<U8", "3538f58b57d72adc5be4710b87c9b3eeabd28aac9c1d4f3ac12dbc796a38aca4"),
    ),
    by_hand=(
        "It is in the repository: x holds digits and $ . , - / * # of fonts for machines (OCR-A, OCR-B, E-13B, CMC-7) "
        "and of fonts like handwriting, uint8 with ink 255, char the sign, font the file, kind 'printed', 'handfont' "
        "or 'odd' (outlines, stripes, white on black)."
    ),
)


@dataclass(frozen=True)
class Glyphs:
    """The signs in a row."""

    pictures: npt.NDArray[np.uint8]  # (206, 64, 64), ink 255, in the middle of the frame
    signs: npt.NDArray[np.str_]  # (206,)
    fonts: npt.NDArray[np.str_]  # (206,)
    kinds: npt.NDArray[np.str_]  # (206,), "printed", "handfont" or "odd"


def load(data_dir: Path | None = None) -> Glyphs:
    """Read and check them.

    Raises:
        DatasetError: the file is missing, damaged or another one.
    """
    arrays = GLYPHS.read(locate(GLYPHS, data_dir))
    return Glyphs(arrays["x"], arrays["char"], arrays["font"], arrays["kind"])
