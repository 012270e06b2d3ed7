"""JPEG (ITU-T T.81, annex B): marker segments, and scans of entropy-coded data between them."""

import re

from app.errors import InvalidImage
from app.imaging.containers.common import (
    Container,
    DecodeLimits,
    check_chunks,
    check_size,
    exif_orientation,
    refuse,
    unpack,
)

SIGNATURE = b"\xff\xd8\xff"
FRAMES = {*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC}  # SOFn
SCAN, END, APP1 = 0xDA, 0xD9, 0xE1
NEEDED = {*FRAMES, 0xC4, 0xCC, 0xDB, 0xDD, 0xE0, 0xEE}  # with tables, restart interval, JFIF and Adobe's colour entry
NEXT_MARKER = re.compile(rb"\xff[\x01-\xcf\xd8-\xfe]")  # not a stuffed zero, a restart or a fill byte


def check_scans(scans: int, width: int, height: int, limits: DecodeLimits) -> None:
    """Raises ImageTooLarge for more work than the limits allow: a decoder goes over all pixels once a scan."""
    if scans > limits.max_scans:
        refuse("The JPEG has too many scans.", limits.max_scans, scans, "scans")
    work = scans * width * height / 1e6
    if work > limits.max_scan_megapixels:
        refuse("The JPEG's scans are too much work.", limits.max_scan_megapixels, work, "scans x megapixels")


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a JPEG file does."""
    return data.startswith(SIGNATURE)


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The picture's segments and scans, without metadata and without what follows its end."""
    size: tuple[int, int] | None = None
    orientation, kept, offset, count, scans = 1, [data[:2]], 2, 0, 0
    while True:
        found = NEXT_MARKER.search(data, offset)
        if found is None:
            raise InvalidImage("The JPEG is cut off.", length=len(data))
        start, marker = found.start(), data[found.start() + 1]
        kept.append(data[offset:start])  # the scan before; nothing before the first
        if marker == END:
            kept.append(b"\xff\xd9")
            break
        count += 1
        check_chunks(count, data, limits)
        (length,) = unpack(">H", data, start + 2)
        offset = start + 2 + length
        if length < 2 or offset > len(data):
            raise InvalidImage("A segment of the JPEG is broken.", at=start)
        if marker in FRAMES:
            height, width = unpack(">HH", data, start + 5)
            if size is not None:
                raise InvalidImage("The JPEG has two frames.")
            size = width, height
            check_size(width, height, limits)
        if marker == SCAN:
            if size is None:
                raise InvalidImage("The JPEG has a scan before its frame.")
            scans += 1
            check_scans(scans, *size, limits)
        if marker == SCAN or marker in NEEDED:
            kept.append(data[start:offset])
        elif marker == APP1 and data[start + 4 : start + 10] == b"Exif\0\0":
            orientation = exif_orientation(data[start + 4 : offset])
    if size is None:
        raise InvalidImage("The JPEG has no frame.")
    return Container("JPEG", *size, orientation, b"".join(kept))
