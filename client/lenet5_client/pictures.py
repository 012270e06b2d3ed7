"""Whatever a caller holds a picture in, as the bytes of a picture file.

Pillow and NumPy are known by what their objects can do, so that neither is needed.
"""

import io
import os
from pathlib import Path
from typing import Any, Protocol, TypeAlias, cast

from lenet5_client.errors import UnreadablePicture
from lenet5_client.png import png


class BinaryFile(Protocol):
    """An open file, or what reads like one."""

    def read(self) -> bytes:
        """All that is left of it."""


class ImageLike(Protocol):
    """What of a Pillow image is used."""

    @property
    def mode(self) -> str:
        """The kind of its pixels."""

    def convert(self, mode: str) -> "ImageLike":
        """It, with pixels of another kind."""

    def getexif(self) -> Any:
        """Its EXIF tags by their numbers."""

    def save(self, _file: io.BytesIO, _format: str, /, *, compress_level: int) -> None:
        """Write it to a file."""


class ArrayLike(Protocol):
    """What of a NumPy array is used, besides the buffer protocol, which types cannot say before Python 3.12."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(height, width) or (height, width, channels)."""

    @property
    def strides(self) -> tuple[int, ...]:
        """Bytes from one element to the next."""


Picture: TypeAlias = (
    bytes | bytearray | memoryview | str | os.PathLike[str] | os.PathLike[bytes] | BinaryFile | ImageLike | ArrayLike
)
"""A picture file's bytes, its path, the open file, a Pillow image, or an array of pixels (see `encoded`)."""

PNG_MODES = frozenset({"1", "L", "LA", "P", "RGB", "RGBA"})
ALPHA_MODES = frozenset({"PA", "RGBa"})
"""Others that know what is transparent."""


def encoded(picture: Picture) -> bytes:
    """The bytes of a picture file.

    Arrays are uint8, uint16 or bool, (height, width) or (height, width, channels) with channels gray, gray and alpha,
    RGB or RGBA; one of one dimension holds a file's bytes. Raises UnreadablePicture.
    """
    if isinstance(picture, bytes):
        return picture
    try:
        if isinstance(picture, str | os.PathLike):
            return Path(os.fsdecode(picture)).read_bytes()
        if hasattr(picture, "read"):
            return _read(cast(BinaryFile, picture))
        if hasattr(picture, "getexif"):
            return _saved(cast(ImageLike, picture))
        with memoryview(cast(bytes, picture)) as buffer:
            return buffer.tobytes() if buffer.ndim == 1 and buffer.itemsize == 1 else png(buffer)
    except Exception as error:
        raise UnreadablePicture(f"This {type(picture).__name__} cannot be read as a picture: {error}.") from error


def _read(file: BinaryFile) -> bytes:
    if isinstance(file, io.TextIOBase) or not isinstance(content := file.read(), bytes):
        raise TypeError("the file is not open for reading in binary")
    if not content:
        raise ValueError("nothing is left to be read of it; after a first reading, seek(0) goes back to its start")
    return content


def _saved(image: ImageLike) -> bytes:
    """A Pillow image as PNG, turned as its EXIF says, which a PNG of it would not."""
    from PIL import ImageOps  # noqa: PLC0415 - it is there, as an image of it is

    upright = cast(ImageLike, ImageOps.exif_transpose(cast(Any, image)))
    if upright.mode == "F":
        raise ValueError("pixels of floats: convert it to mode L, as only you know which value is white")
    if upright.mode.startswith("I"):
        upright = upright.convert("I").convert("I;16")  # what I;16B is as I;16, Pillow clips to 8 bits
    elif upright.mode not in PNG_MODES:
        upright = upright.convert("RGBA" if upright.mode in ALPHA_MODES else "RGB")
    out = io.BytesIO()
    upright.save(out, "PNG", compress_level=1)
    return out.getvalue()
