"""BMP: one header, one bitmap."""

from app.imaging.containers.common import Container, DecodeLimits, check_size, refuse, unpack

SIGNATURE = b"BM"
RUN_LENGTH = (1, 2)  # RLE8, RLE4; Pillow decodes them in Python, a byte at a time
MAX_RUN_LENGTH_BYTES = 65_536
MAX_RUN_LENGTH_PIXELS = 1_000_000


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a BMP file does."""
    return data.startswith(SIGNATURE)


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The bitmap's size."""
    (header,) = unpack("<I", data, 14)
    if header == 12:
        width, height = unpack("<HH", data, 18)
        compression = 0
    else:
        width, height, _, _, compression = unpack("<iiHHI", data, 18)
        height = abs(height)  # a negative height: rows from top to bottom
    check_size(width, height, limits)
    if compression in RUN_LENGTH:
        if len(data) > MAX_RUN_LENGTH_BYTES:
            refuse("The run-length coded BMP is too long.", MAX_RUN_LENGTH_BYTES, len(data), "bytes")
        if width * height > MAX_RUN_LENGTH_PIXELS:
            refuse("The run-length coded BMP has too many pixels.", MAX_RUN_LENGTH_PIXELS, width * height, "pixels")
    return Container("BMP", width, height, 1, data)
