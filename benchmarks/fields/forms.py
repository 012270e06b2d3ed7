"""The same field in other files: what must not change the text, and what may hardly change it."""

from collections.abc import Callable, Mapping
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from app.imaging import DecodeLimits, decode
from benchmarks.forms import encode

Picture = npt.NDArray[np.uint8]


def _file(picture: npt.NDArray[Any], format_name: str = "PNG", **options: Any) -> bytes:
    return encode(Image.fromarray(picture), format_name, **options)


def _padded(picture: Picture) -> bytes:
    """A fifth more ground on every side, of the gray level that the border has."""
    rows, columns = round(0.2 * picture.shape[0]), round(0.2 * picture.shape[1])
    border = np.concatenate([picture[0], picture[-1], picture[:, 0], picture[:, -1]])
    ground = int(np.median(border))
    return _file(np.pad(picture, ((rows, rows), (columns, columns)), constant_values=ground))


def _skewed(picture: Picture) -> bytes:
    """Turned by 2 degrees; nothing leaves the picture."""
    height, width = picture.shape
    matrix = cv2.getRotationMatrix2D((width / 2, height / 2), -2, 1)
    more = round(width * np.sin(np.radians(2))), round(height * np.sin(np.radians(2)))
    matrix[:, 2] += more[1] / 2, more[0] / 2
    size = width + more[1], height + more[0]
    turned = cv2.warpAffine(picture, matrix, size, flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    return _file(turned.astype(np.uint8, copy=False))


def _scaled(picture: Picture, factor: float) -> bytes:
    flags = cv2.INTER_AREA if factor < 1 else cv2.INTER_CUBIC
    return _file(cv2.resize(picture, None, fx=factor, fy=factor, interpolation=flags).astype(np.uint8, copy=False))


def _one_bit(picture: Picture) -> bytes:
    level, _ = cv2.threshold(picture, 0, 255, cv2.THRESH_OTSU)
    return encode(Image.fromarray(picture > level).convert("1"))


SAME: Mapping[str, Callable[[Picture], bytes]] = {
    "inverted": lambda picture: _file(255 - picture),
    "TIFF": lambda picture: _file(picture, "TIFF"),
    "RGBA": lambda picture: encode(Image.fromarray(picture).convert("RGBA")),
    "16 bit": lambda picture: _file(picture.astype(np.uint16) * 257),
}
"""The same pixels."""

ALIKE: Mapping[str, Callable[[Picture], bytes]] = {
    "JPEG q90": lambda picture: _file(picture, "JPEG", quality=90),
    "1 bit": _one_bit,
    "half size": lambda picture: _scaled(picture, 0.5),
    "double size": lambda picture: _scaled(picture, 2),
    "20 % padding": _padded,
    "2 degrees": _skewed,
}
"""Nearly the same."""


def decoded(data: bytes) -> npt.NDArray[Any]:
    """A file as the service sees it."""
    return decode(data, DecodeLimits())
