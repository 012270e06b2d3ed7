"""The bytes of a picture to a gray array; every bound holds before anything is decoded."""

import io
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from PIL import Image

from app.errors import ImageTooLarge, InvalidImage

FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")


@dataclass(frozen=True)
class DecodeLimits:
    """What a picture may cost; limits on bytes are HTTP's."""

    max_pixels: int = 16_000_000
    max_side: int = 10_000  # pixels
    max_scans: int = 1000  # of a JPEG
    max_scan_megapixels: float = 200  # scans of a JPEG x its megapixels
    max_chunks: int = 1000  # chunks, segments, entries or blocks of the container


@dataclass(frozen=True)
class Header:
    """What a picture says of itself."""

    format: str  # one of FORMATS
    width: int  # pixels, before an EXIF turn
    height: int


def probe(data: bytes, limits: DecodeLimits) -> Header:
    """What the picture says of itself, once every bound of `limits` is known to hold."""
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            header = Header(image.format or "", *image.size)
    except Exception as error:
        raise InvalidImage("The bytes are not a picture that can be read.") from error
    if header.width * header.height > limits.max_pixels or max(header.width, header.height) > limits.max_side:
        raise ImageTooLarge("The picture has too many pixels.", width=header.width, height=header.height)
    return header


def decode(data: bytes, limits: DecodeLimits) -> npt.NDArray[Any]:
    """A picture's first frame as gray, uint8 or float32 (h, w)."""
    probe(data, limits)
    try:
        with Image.open(io.BytesIO(data), formats=FORMATS) as image:
            return np.asarray(image.convert("L"))
    except Exception as error:
        raise InvalidImage("The bytes are not a picture that can be read.") from error
