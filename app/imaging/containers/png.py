"""PNG (W3C PNG 3, section 5): chunks of length, type, data and checksum."""

from app.errors import InvalidImage
from app.imaging.containers.common import Container, DecodeLimits, check_chunks, check_size, exif_orientation, unpack

SIGNATURE = b"\x89PNG\r\n\x1a\n"
NEEDED = {b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND"}


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a PNG file does."""
    return data.startswith(SIGNATURE)


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The picture's chunks, without text, profiles and animation."""
    width, height = unpack(">II", data, 16)
    if data[12:16] != b"IHDR":
        raise InvalidImage("The PNG does not begin with its header.")
    check_size(width, height, limits)
    orientation, kept, offset, count, extra, kind = 1, [SIGNATURE], 8, 0, False, b""
    while kind != b"IEND":
        (length,) = unpack(">I", data, offset)
        kind, end = data[offset + 4 : offset + 8], offset + 12 + length
        count += 1
        check_chunks(count, data, limits)
        if end > len(data):
            raise InvalidImage("The PNG is cut off.", at=offset, length=len(data))
        if kind in NEEDED:
            kept.append(data[offset:end])
        else:
            extra = True
            if kind == b"eXIf":
                orientation = exif_orientation(data[offset + 8 : end - 4])
        offset = end
    return Container("PNG", width, height, orientation, b"".join(kept) if extra else data)
