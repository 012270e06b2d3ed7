"""GIF (GIF89a specification): a screen, extension blocks and frames, of which the first counts."""

from app.errors import InvalidImage
from app.imaging.containers.common import Container, DecodeLimits, check_chunks, check_size, unpack

SIGNATURES = (b"GIF87a", b"GIF89a")
EXTENSION, FRAME = 0x21, 0x2C
GRAPHIC_CONTROL = 0xF9  # carries the transparent colour


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a GIF file does."""
    return data.startswith(SIGNATURES)


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The screen and the first frame, without comments and application blocks."""
    width, height, flags = unpack("<HHB", data, 6)
    offset = 13 + _table(flags)
    kept, count = [data[:offset]], 0
    while True:
        (kind,) = unpack("<B", data, offset)
        count += 1
        if kind == FRAME:
            break
        if kind != EXTENSION:
            raise InvalidImage("The GIF has no frame.", at=offset)
        start = offset
        (label,) = unpack("<B", data, offset + 1)
        offset += 2
        while True:
            (length,) = unpack("<B", data, offset)
            count += 1
            check_chunks(count, data, limits)
            offset += 1 + length
            if length == 0:
                break
        if label == GRAPHIC_CONTROL:
            kept.append(data[start:offset])
    left, top, across, down = unpack("<HHHH", data, offset + 1)
    width, height = max(width, left + across), max(height, top + down)
    check_size(width, height, limits)
    kept.append(data[offset:])
    return Container("GIF", width, height, 1, b"".join(kept))


def _table(flags: int) -> int:
    return 3 << ((flags & 7) + 1) if flags & 0x80 else 0
