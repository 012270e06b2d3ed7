"""Pixels to PNG (ISO/IEC 15948) by the standard library alone."""

import struct
import sys
import zlib

SIGNATURE = b"\x89PNG\r\n\x1a\n"
COLOUR_TYPES = {1: 0, 2: 4, 3: 2, 4: 6}  # channels -> gray, gray and alpha, RGB, RGBA
FORMATS = frozenset({"B", "?", "H", "<H", ">H"})
WHITE = bytes([0]) + bytes([255]) * 255  # of a truth value


def png(pixels: memoryview) -> bytes:
    """Pixels (h, w) or (h, w, channels) of uint8, uint16 or bool as PNG; channels are gray, gray and alpha, RGB, RGBA.

    Raises ValueError for other shapes and types, those of floats among them: whether they end at 1 or at 255 is known
    to the caller alone.
    """
    shape = tuple(pixels.shape or ())
    if len(shape) == 2:
        shape += (1,)
    if len(shape) != 3 or shape[2] not in COLOUR_TYPES or 0 in shape:
        raise ValueError(f"pixels are (height, width) or (height, width, 1 to 4 channels), not {pixels.shape}")
    if pixels.format not in FORMATS:
        raise ValueError(
            f"pixels are uint8, uint16 or bool, not {pixels.format!r} (see the module struct): "
            "make them uint8, as only you know which value is white"
        )
    height, width, channels = shape
    data = pixels.tobytes()
    if pixels.format == "?":
        data = data.translate(WHITE)
    if pixels.format == "<H" or (pixels.format == "H" and sys.byteorder == "little"):  # PNG is big-endian
        swapped = bytearray(data)
        swapped[0::2], swapped[1::2] = data[1::2], data[0::2]
        data = bytes(swapped)
    row = width * channels * pixels.itemsize
    lines = b"".join(b"\0" + data[start : start + row] for start in range(0, len(data), row))  # filter 0: as it is
    header = struct.pack(">IIBBBBB", width, height, 8 * pixels.itemsize, COLOUR_TYPES[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(lines, 1)), (b"IEND", b""))
    return SIGNATURE + b"".join(_chunk(kind, content) for kind, content in chunks)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
