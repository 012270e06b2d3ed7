"""The pictures in a zip archive, within bounds: whatever it says of itself, no member may fill the memory.

Nothing is unpacked to the disk. Members that would be written outside of a folder are refused all the same, as their
names go into results that other programs may take for paths.
"""

import zipfile
import zlib
from collections.abc import Callable, Collection, Iterator
from functools import partial
from pathlib import PurePosixPath
from typing import BinaryIO, Final

from app.cli.ends import FileError
from app.errors import ImageTooLarge

MEMBERS: Final = 100_000
RATIO: Final = 200
"""All that is unpacked may have so many times the archive's bytes: uncompressed scans of white paper have 50 times."""
SPARE_BYTES: Final = 64 * 1024 * 1024
"""And so many in any case."""


def is_zip(head: bytes) -> bool:
    """Whether a file that begins so is a zip archive; it may be an empty one."""
    return head in (b"PK\3\4", b"PK\5\6")


def members(archive: BinaryIO, suffixes: Collection[str], most: int) -> Iterator[tuple[str, Callable[[], bytes]]]:
    """Name and bytes of every picture of an archive; the archive is open as long as this is iterated over.

    A name that occurs again gets ` (2)`. The bytes raise FileError, and ImageTooLarge above `most` of them or when the
    archive has unpacked more than its bytes allow. Raises FileError for what is no archive.
    """
    try:
        with zipfile.ZipFile(archive) as opened:
            pictures = [one for one in opened.infolist() if _is_picture(one, suffixes)]
            _check(archive, opened, pictures)
            bound = _Bound(RATIO * _size(archive) + SPARE_BYTES)
            names: dict[str, int] = {}
            for one in pictures:
                names[one.filename] = again = names.get(one.filename, 0) + 1
                name = one.filename if again == 1 else f"{one.filename} ({again})"
                yield name, partial(_unpacked, opened, one, most, bound)
    except (zipfile.BadZipFile, NotImplementedError, ValueError) as error:
        raise FileError(f"The archive cannot be read: {error}.") from error


def _is_picture(member: zipfile.ZipInfo, suffixes: Collection[str]) -> bool:
    path = _path(member)
    hidden = any(part.startswith((".", "__MACOSX")) and part != ".." for part in path.parts)
    return not (member.is_dir() or hidden) and path.suffix.lower() in suffixes


def _path(member: zipfile.ZipInfo) -> PurePosixPath:
    return PurePosixPath(member.filename.replace("\\", "/"))  # as some programs of Windows write it


def _check(archive: BinaryIO, opened: zipfile.ZipFile, pictures: Collection[zipfile.ZipInfo]) -> None:
    """What is known before anything is unpacked. Raises FileError."""
    number, packed = len(opened.infolist()), sum(one.compress_size for one in opened.infolist())
    if number > MEMBERS:
        raise FileError(f"The archive has more than {MEMBERS} members.", limit=MEMBERS, actual=number)
    if packed > (size := _size(archive)):
        raise FileError("The archive's members share their bytes, as only a bomb's do.", limit=size, actual=packed)
    if not pictures:
        raise FileError("There are no pictures in this archive.", members=number)


class _Bound:
    """How much an archive may still unpack."""

    def __init__(self, left: int) -> None:
        self.left = left  # bytes


def _unpacked(opened: zipfile.ZipFile, member: zipfile.ZipInfo, most: int, bound: _Bound) -> bytes:
    """A member's bytes. Raises FileError and ImageTooLarge."""
    path = _path(member)
    if path.is_absolute() or ".." in path.parts or ":" in path.parts[0]:
        raise FileError("The archive's member has a name that leads out of it.", member=member.filename)
    if member.flag_bits & 1:
        raise FileError("The archive's member is encrypted.", member=member.filename)
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise FileError("The archive's member is packed in a way that is not read.", member=member.filename)
    try:
        with opened.open(member) as stream:
            data = stream.read(min(most, bound.left) + 1)
    except (zipfile.BadZipFile, NotImplementedError, zlib.error, EOFError, OSError, ValueError) as error:
        raise FileError(f"The archive's member cannot be unpacked: {error}.", member=member.filename) from error
    bound.left = max(bound.left - len(data), 0)
    if len(data) > most:
        raise ImageTooLarge(f"The archive's member has more than {most} bytes.", limit=most, unit="bytes")
    if not bound.left:
        raise ImageTooLarge("The archive unpacks to too many times its size.", limit=RATIO, unit="times")
    return data


def _size(archive: BinaryIO) -> int:
    return archive.seek(0, 2)
