"""The quick way for the most frequent picture: a small PNG of 8-bit gray and nothing else.

OpenCV decodes it in 7 us where Pillow takes 24, a tenth of all that a request costs. What it does not read is Pillow's
to read or to refuse: so no picture is read otherwise than before.
"""

import struct
import zlib
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from app.imaging.containers import Container

LAYOUT = struct.Struct(">12x17sI4x4s")
"""Signature and IHDR's length; IHDR's type and data, its checksum; the next chunk's length and type."""
KIND = b"\x08\x00\x00\x00\x00"
"""The end of IHDR: 8 bits, gray, the one compression and the one set of filters, not interlaced."""
END = b"\0\0\0\0IEND\xaeB`\x82"
AROUND = 57
"""Bytes of the file around the data of its one IDAT: the signature, IHDR, IDAT's head and checksum, and IEND."""


def plain_gray(container: Container) -> npt.NDArray[np.uint8] | None:
    """The pixels (h, w) of a PNG that is one IDAT of 8-bit gray; None where it is another, or damaged.

    Checksums are looked at first: of chance damage libpng would complain on standard error.
    """
    body = container.body
    if container.format != "PNG" or len(body) < AROUND or container.orientation != 1:
        return None
    header, checksum, kind = LAYOUT.unpack_from(body)
    if (
        kind != b"IDAT"
        or not header.endswith(KIND)
        or not body.endswith(END)
        or zlib.crc32(header) != checksum
        or zlib.crc32(body[37:-16]) != int.from_bytes(body[-16:-12])
    ):
        return None
    decoded = cv2.imdecode(np.frombuffer(body, np.uint8), cv2.IMREAD_UNCHANGED)
    return cast("npt.NDArray[np.uint8] | None", decoded)
