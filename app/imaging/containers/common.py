"""What every walk through a container shares: the limits, what is found, and how a breach of a limit is told."""

import struct
from dataclasses import dataclass
from typing import Any

from app.errors import ImageTooLarge, InvalidImage

FORMATS = frozenset({"PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"})
"""The formats that can be read, as Pillow names them."""


@dataclass(frozen=True)
class DecodeLimits:
    """What is read, and what a picture may cost; limits on bytes are HTTP's."""

    formats: frozenset[str] = FORMATS
    max_pixels: int = 16_000_000
    max_side: int = 10_000  # pixels
    max_scans: int = 1000  # of a JPEG
    max_scan_megapixels: float = 200  # scans of a JPEG x its megapixels
    max_chunks: int = 1000  # chunks, segments, entries or blocks, besides one for each 4 KiB of data


@dataclass(frozen=True)
class Container:
    """A picture's structure, walked and within the limits."""

    format: str  # as Pillow names it
    width: int  # pixels, before an EXIF turn
    height: int
    orientation: int  # EXIF, 1 to 8; 1 is upright
    body: bytes  # the same picture without metadata: what the decoder gets


def check_size(width: int, height: int, limits: DecodeLimits) -> None:
    """Raises ImageTooLarge over the limits on pixels or on a side, InvalidImage for an empty picture."""
    if width < 1 or height < 1:
        raise InvalidImage("The picture has no pixels.", width=width, height=height)
    if max(width, height) > limits.max_side:
        refuse(
            f"A side of the picture is longer than {limits.max_side} pixels.",
            limits.max_side,
            max(width, height),
            "pixels",
        )
    if width * height > limits.max_pixels:
        refuse(f"The picture has more than {limits.max_pixels} pixels.", limits.max_pixels, width * height, "pixels")


def check_chunks(count: int, data: bytes, limits: DecodeLimits) -> None:
    """Raises ImageTooLarge when the container has too many parts for its length."""
    if count > limits.max_chunks + len(data) // 4096:
        refuse("The picture's file has too many parts.", limits.max_chunks, count, "parts")


def refuse(message: str, limit: float, actual: float, unit: str) -> None:
    """Raises ImageTooLarge with the evidence."""
    raise ImageTooLarge(message, limit=limit, actual=actual, unit=unit)


def unpack(layout: str, data: bytes, offset: int) -> tuple[Any, ...]:
    """`struct.unpack_from`, with InvalidImage where the data end too early."""
    try:
        return struct.unpack_from(layout, data, offset)
    except (struct.error, OverflowError):  # OverflowError: a 64-bit offset that no memory has
        raise InvalidImage("The picture's file is cut off.", at=offset, length=len(data)) from None


def exif_orientation(exif: bytes) -> int:
    """The orientation 1 to 8 in an EXIF block (a TIFF header and its first directory); 1 if there is none.

    Read here because a general EXIF reader copies every entry's value, each of which may be as long as the file.
    """
    exif = exif.removeprefix(b"Exif\0\0")
    order = {b"II": "<", b"MM": ">"}.get(exif[:2])
    if order is None or len(exif) < 10:
        return 1
    start = int(struct.unpack_from(order + "I", exif, 4)[0])
    if start + 2 > len(exif):
        return 1
    count = min(int(struct.unpack_from(order + "H", exif, start)[0]), (len(exif) - start - 2) // 12, 100)
    for index in range(count):
        tag, _, _, value = struct.unpack_from(order + "HHIH", exif, start + 2 + 12 * index)
        if tag == 0x0112:
            return int(value) if 1 <= value <= 8 else 1
    return 1
