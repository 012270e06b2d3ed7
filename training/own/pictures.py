"""The file of one picture, within the bounds that the service sets to a body."""

import os
import stat
from pathlib import Path

from app.errors import BodyTooLarge
from app.imaging import DecodeLimits, decode
from app.imaging.decode import Gray

MAX_FILE_BYTES = 8 * 1024 * 1024
"""What /predict takes by default."""

LIMITS = DecodeLimits()


def gray(path: Path) -> Gray:
    """The picture in `path` as gray levels, uint8 or float32 (h, w).

    Raises OSError when it cannot be read or is no regular file, BodyTooLarge for more than 8 MiB, and what
    `app.imaging.decode` raises.
    """
    # Without O_NONBLOCK a named pipe holds the run up for ever; Windows has neither.
    descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    with open(descriptor, "rb") as file:  # noqa: PTH123  (a descriptor, which closes with it)
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise OSError("It is not a regular file.")
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise BodyTooLarge(f"The file has more than {MAX_FILE_BYTES} bytes.", limit=MAX_FILE_BYTES)
    return decode(content, LIMITS)
