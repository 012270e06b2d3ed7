"""WebP (RFC 9649): a RIFF file of chunks."""

from app.errors import InvalidImage
from app.imaging.containers.common import Container, DecodeLimits, check_chunks, check_size, exif_orientation, unpack


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a WebP file does."""
    return data[:4] == b"RIFF" and data[8:12] == b"WEBP"


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The canvas size and the number of chunks; the file is handed on as it is."""
    (size,) = unpack("<I", data, 4)
    end = size + 8
    if end > len(data):
        raise InvalidImage("The WebP is cut off.", expected=end, length=len(data))
    width, height = _canvas(data)
    check_size(width, height, limits)
    orientation, offset, count = 1, 12, 0
    while offset + 8 <= end:
        (length,) = unpack("<I", data, offset + 4)
        if data[offset : offset + 4] == b"EXIF":
            orientation = exif_orientation(data[offset + 8 : offset + 8 + length])
        count += 1
        check_chunks(count, data, limits)
        offset += 8 + length + (length & 1)
    return Container("WEBP", width, height, orientation, data)


def _canvas(data: bytes) -> tuple[int, int]:
    kind = data[12:16]
    if kind == b"VP8X":
        width, width_high, height, height_high = unpack("<HBHB", data, 24)
        return 1 + width + (width_high << 16), 1 + height + (height_high << 16)
    if kind == b"VP8 ":
        width, height = unpack("<HH", data, 26)
        return width & 0x3FFF, height & 0x3FFF
    if kind == b"VP8L":
        (bits,) = unpack("<I", data, 21)
        return 1 + (bits & 0x3FFF), 1 + ((bits >> 14) & 0x3FFF)
    raise InvalidImage("The WebP holds no picture.")
