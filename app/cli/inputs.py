"""What the arguments name, as pictures: files, folders, globs, standard input, zip archives, pages of TIFF.

Every picture has a name, by which results are known and `--resume` skips what is done: the file's path,
`scans.zip/a.png` for an archive's member, `letter.tif#2` for a page; `-` stands for standard input.
"""

import os
import stat
import sys
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from glob import glob, has_magic
from io import BytesIO
from itertools import chain
from pathlib import Path
from typing import BinaryIO, Final

from app.cli.archives import is_zip, members
from app.cli.ends import FileError, text_of
from app.cli.options import STDIN
from app.cli.pages import pages
from app.errors import ImageTooLarge, ServiceError

SUFFIXES: Final = frozenset({".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"})
"""Of a folder's and an archive's files that are taken for pictures; a file that is named itself may have any."""
PICTURE_BYTES: Final = 64 * 1024 * 1024
"""Of one picture: those of the largest that is decoded, uncompressed with four bytes a pixel."""
PART_BYTES: Final = 1024 * 1024
"""Of a pipe, read at a time."""
FILE_BYTES: Final = 1024 * 1024 * 1024
"""Of a TIFF with several pages, and of standard input."""


@dataclass(frozen=True)
class Input:
    """One picture to be read, or why there is none."""

    name: str
    load: Callable[[], bytes]
    """Its encoded bytes; raises ServiceError."""


class Inputs:
    """The pictures of the arguments, in order; each file is opened when its turn has come."""

    def __init__(self, arguments: Sequence[str], done: Collection[str] = ()) -> None:
        """Finds the files; pictures whose names are in `done` are left out."""
        self._argument = text_of(arguments[0]) if len(arguments) == 1 else None
        self._files = [file for argument in arguments for file in files_of(argument)]
        self._done = done
        self.total = len(self._files)
        """Pictures, as far as is known: an archive or a TIFF counts as one until it is opened."""
        self.waits = any(map(_waits, arguments))
        """Whether reading may wait for what somebody has yet to write."""
        self.skipped = 0
        """Pictures that were in `done`."""
        self._inputs: Iterator[Input] = self._found()

    def __iter__(self) -> Iterator[Input]:
        return self._inputs

    def only(self) -> Input | None:
        """The picture, where a single argument is one, and no folder, archive or TIFF with several in it."""
        first = next(self._inputs, None)
        if first is None:
            return None
        self._inputs = chain([first], self._inputs)
        return first if len(self._files) == 1 and first.name == text_of(self._files[0]) == self._argument else None

    def _found(self) -> Iterator[Input]:
        seen: set[str] = set()
        for file in self._files:
            name = text_of(file)
            found = -1
            if name in self._done:  # and so it is one picture, which need not be opened to know
                inputs: Iterator[Input] = iter([Input(name, bytes)])
            else:
                inputs = _pictures(file, name)
            for found, one in enumerate(inputs):
                self.total += found > 0
                if one.name in seen:  # named by two arguments
                    self.total -= 1
                elif one.name in self._done:
                    self.skipped += 1
                else:
                    yield one
                seen.add(one.name)
            self.total -= found < 0


def files_of(argument: str, also: Collection[str] = ()) -> list[str]:
    """The files that an argument means, sorted; what does not exist is left in, to fail when it is opened.

    Of a folder those are pictures, archives, and what ends as `also` says.
    """
    if argument == STDIN or not (has_magic(argument) and not os.path.lexists(argument)):
        matches = [argument]
    else:
        matches = sorted(glob(argument, recursive=True)) or [argument]  # noqa: PTH207 - Path.glob wants a folder first
    return [file for match in matches for file in (_folder(match, also) if stat.S_ISDIR(_mode(match)) else [match])]


def _waits(argument: str) -> bool:
    """Whether it is standard input, a pipe or a device."""
    mode = _mode(argument)
    return argument == STDIN or not (mode == 0 or stat.S_ISREG(mode) or stat.S_ISDIR(mode))


def _mode(file: str) -> int:
    """What a file is; 0 for what is not there, or cannot be asked for."""
    try:
        return Path(file).stat().st_mode
    except OSError:
        return 0


def _folder(folder: str, also: Collection[str]) -> list[str]:
    """The pictures and archives under a folder; links to folders are not followed, and hidden files are left out.

    A folder that cannot be listed, or has nothing to read, stands for itself, to fail when it is opened.
    """
    unlisted: list[str] = []
    files = []
    for parent, folders, names in os.walk(folder, onerror=lambda error: unlisted.append(str(error.filename))):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        found = (name for name in sorted(names) if _is_picture(parent, name, also))
        files += [os.path.join(parent, name) for name in found]  # noqa: PTH118 - Path would normalise what was given
    return [*files, *unlisted] or [folder]


def _is_picture(folder: str, name: str, also: Collection[str]) -> bool:
    """Whether a folder's file is to be read: by its name, and no pipe or device, which would be waited for."""
    if name.startswith(".") or Path(name).suffix.lower() not in {".zip", *SUFFIXES, *also}:
        return False
    mode = _mode(os.path.join(folder, name))  # noqa: PTH118 - as the names are made
    return mode == 0 or stat.S_ISREG(mode)  # a broken link is told of, as what it is


def _pictures(file: str, name: str) -> Iterator[Input]:
    """The pictures in a file: an archive's members, a TIFF's pages, or the file itself."""
    try:
        with _opened(file) as stream:
            head = stream.read(4)
            stream.seek(0)
            if is_zip(head):
                yield from _members(stream, name)
                return
            if head[:2] not in (b"II", b"MM"):
                data = _read(stream, PICTURE_BYTES)
                yield Input(name, lambda: data)
                return
            tiff = _read(stream, FILE_BYTES)
        yield from _pages(tiff, name)
    except ServiceError as error:
        yield _failed(name, error)
    except OSError as error:
        yield _failed(name, FileError(f"It cannot be read: {error.strerror or error}.", file=name))


def _members(archive: BinaryIO, name: str) -> Iterator[Input]:
    """The pictures of an archive; one may itself have pages."""
    for member, load in members(archive, SUFFIXES, PICTURE_BYTES):
        inner = f"{name}/{member}"
        if Path(member).suffix.lower() in (".tif", ".tiff"):
            try:
                yield from _pages(load(), inner)
            except ServiceError as error:
                yield _failed(inner, error)
        else:
            yield Input(inner, load)


def _pages(tiff: bytes, name: str) -> Iterator[Input]:
    """A TIFF's pages; one that has a single page, or cannot be taken apart, is a picture as it is."""
    number = 0
    for number, load in pages(tiff, PICTURE_BYTES):
        yield Input(f"{name}#{number}", load)
    if not number:

        def load() -> bytes:
            _no_longer(len(tiff), PICTURE_BYTES)
            return tiff

        yield Input(name, load)


def _failed(name: str, error: ServiceError) -> Input:
    def load() -> bytes:
        raise error

    return Input(name, load)


def _opened(file: str) -> BinaryIO:
    """A file's bytes, to be sought in."""
    if file == STDIN:
        return _drained(sys.stdin.buffer)
    try:
        stream = open(file, "rb")  # noqa: PTH123, SIM115 - a Path takes as long as the reading; who asks closes it
    except IsADirectoryError:
        raise FileError("There are no pictures in this folder, or it cannot be listed.", file=file) from None
    if stat.S_ISREG(os.fstat(stream.fileno()).st_mode):
        return stream
    with stream:  # a pipe, such as the shell's <(...)
        return _drained(stream)


def _drained(stream: BinaryIO) -> BinaryIO:
    """All that comes out of a pipe."""
    whole = BytesIO()
    while part := stream.read(PART_BYTES):
        whole.write(part)
        _no_longer(whole.tell(), FILE_BYTES)
    whole.seek(0)
    return whole


def _read(stream: BinaryIO, most: int) -> bytes:
    _no_longer(stream.seek(0, os.SEEK_END), most)
    stream.seek(0)
    return stream.read()


def _no_longer(size: int, most: int) -> None:
    if size > most:
        raise ImageTooLarge(f"The file has more than {most} bytes.", limit=most, unit="bytes")
