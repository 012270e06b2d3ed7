"""Writing a file so that a crash at any point leaves the old one or the new one, whole."""

import os
from pathlib import Path


def write_file(target: Path, content: bytes) -> None:
    """Put `content` into the file, in place of one that may be there; its folder exists.

    It is on the disk when this returns. Raises OSError when the disk refuses; the target is then what it was, and what
    had been written is taken away again, since a full disk needs the room. One writer a target at a time.
    """
    part = target.with_name(f"{target.name}.part")
    try:
        with part.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        part.replace(target)
    except OSError:
        part.unlink(missing_ok=True)
        raise
    sync_folder(target.parent)


def sync_folder(folder: Path) -> None:
    """Bring a folder's own entries to the disk (Windows cannot, and does not need it)."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
