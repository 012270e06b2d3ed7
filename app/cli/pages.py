"""A TIFF of several pages taken apart into files of one page each, which are read as any picture is.

TIFF 6.0 and BigTIFF: a header, then directories of entries, each with the offset of the next. A page's file has its own
directory's entries and the bytes that these point at; nothing is decoded.
"""

import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from typing import Final

from app.errors import ImageTooLarge, InvalidImage
from app.imaging.containers.tiff import NEEDED, ORIENTATION, SIGNATURES, SIZES, STRIP_BYTES, STRIPS, TILE_BYTES, TILES

PAGES: Final = 10_000
SPARE_BYTES: Final = 1024 * 1024
"""For what is written anew in each page."""
ENTRIES: Final = 1_000  # of one directory
DATA: Final = {STRIPS: STRIP_BYTES, TILES: TILE_BYTES}
"""The entry with offsets of pixels -> that with their lengths."""


class _Form:
    """How the numbers of a TIFF are written."""

    def __init__(self, data: bytes) -> None:
        self.order = "<" if data[:2] == b"II" else ">"
        self.big = data[2:4] in (b"+\0", b"\0+")
        self.word = "Q" if self.big else "I"  # an offset
        self.head = "Q" if self.big else "H"  # the number of a directory's entries
        self.room = 8 if self.big else 4  # bytes of an entry's value, or of its offset
        self.entry = 12 + 8 if self.big else 12  # bytes

    def number(self, layout: str, data: bytes, at: int) -> int:
        """One number; raises InvalidImage where the file ends before it."""
        try:
            (value,) = struct.unpack_from(self.order + layout, data, at)
        except struct.error as error:
            raise InvalidImage("The TIFF is cut off.", expected=at, length=len(data)) from error
        return int(value)


def pages(data: bytes, most: int) -> Iterator[tuple[int, Callable[[], bytes]]]:
    """Number, from 1, and file of each page of a TIFF that has several; none for any other.

    The file raises InvalidImage for a broken page, and ImageTooLarge for one with more than `most` bytes, or when the
    pages have more bytes together than the TIFF. Raises ImageTooLarge for too many pages.
    """
    offsets = _directories(data)
    if len(offsets) < 2:
        return
    left = len(data) + SPARE_BYTES  # pages that share their bytes are a bomb's

    def load(offset: int) -> bytes:
        nonlocal left
        file = _page(data, offset, min(most, left))
        left -= len(file)
        return file

    for number, offset in enumerate(offsets, 1):
        yield number, partial(load, offset)


def _directories(data: bytes) -> list[int]:
    """Where the pages' directories lie, the last of which may be broken; none in what is no TIFF."""
    if not data.startswith(SIGNATURES):
        return []
    form = _Form(data)
    offsets: dict[int, None] = {}
    with suppress(InvalidImage):
        at = form.number(form.word, data, 8 if form.big else 4)
        while at and at not in offsets:
            if len(offsets) == PAGES:
                raise ImageTooLarge(f"The TIFF has more than {PAGES} pages.", limit=PAGES, unit="pages")
            offsets[at] = None
            entries = form.number(form.head, data, at)
            at = form.number(form.word, data, at + struct.calcsize("<" + form.head) + form.entry * entries)
    return list(offsets)


def _page(data: bytes, offset: int, most: int) -> bytes:
    """The file of the page whose directory lies at `offset`.

    Raises InvalidImage for a broken one, ImageTooLarge for one with more than `most` bytes.
    """
    form = _Form(data)
    number = form.number(form.head, data, offset)
    if number > ENTRIES:
        raise ImageTooLarge("A directory of the TIFF has too many entries.", limit=ENTRIES, actual=number)
    first = offset + struct.calcsize("<" + form.head)
    values: dict[int, tuple[int, int, bytes]] = {}  # tag -> its type, number of values, and their bytes
    for at in range(first, first + form.entry * number, form.entry):
        tag, kind, count = (
            form.number(layout, data, at + place) for layout, place in (("H", 0), ("H", 2), (form.word, 4))
        )
        if tag in NEEDED or tag == ORIENTATION:
            values[tag] = kind, count, _value(form, data, at, kind, count)
    return _written(form, values, {tag: _pixels(form, data, values, tag, most) for tag in DATA if tag in values})


def _value(form: _Form, data: bytes, at: int, kind: int, count: int) -> bytes:
    """An entry's value, which lies in the entry where there is room."""
    size = SIZES.get(kind, len(data) + 1) * count
    place = at + form.entry - form.room
    if size > form.room:
        place = form.number(form.word, data, place)
    return _cut(data, place, size)


def _pixels(form: _Form, data: bytes, values: dict[int, tuple[int, int, bytes]], tag: int, most: int) -> list[bytes]:
    """The strips or tiles of a page."""
    offsets, lengths = (_numbers(form, values.get(one, (4, 0, b""))) for one in (tag, DATA[tag]))
    if len(offsets) != len(lengths):
        raise InvalidImage("The TIFF's strips or tiles have no lengths.", offsets=len(offsets), lengths=len(lengths))
    if (size := sum(lengths)) > most:
        raise ImageTooLarge(f"A page of the TIFF has more than {most} bytes.", limit=most, actual=size, unit="bytes")
    return [_cut(data, place, length) for place, length in zip(offsets, lengths, strict=True)]


def _numbers(form: _Form, value: tuple[int, int, bytes]) -> tuple[int, ...]:
    kind, count, packed = value
    layout = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
    if layout is None:
        raise InvalidImage("An entry of the TIFF is broken.", kind=kind)
    return struct.unpack(f"{form.order}{count}{layout}", packed)


def _written(form: _Form, values: dict[int, tuple[int, int, bytes]], pixels: dict[int, list[bytes]]) -> bytes:
    """Header, pixels, values that are too long for their entry, directory."""
    mark = {
        ("<", False): b"II*\0",
        (">", False): b"MM\0*",
        ("<", True): b"II+\0\b\0\0\0",
        (">", True): b"MM\0+\0\b\0\0",
    }
    header = mark[form.order, form.big]
    out = bytearray(header + bytes(form.room))

    def add(more: bytes) -> int:
        out.extend(bytes(len(out) % 2))
        out.extend(more)
        return len(out) - len(more)

    for tag, pieces in pixels.items():
        places = [add(piece) for piece in pieces]
        kind = 16 if form.big else 4
        values[tag] = kind, len(places), struct.pack(f"{form.order}{len(places)}{form.word}", *places)
    entries = b""
    for tag, (kind, count, packed) in sorted(values.items()):
        value = packed.ljust(form.room, b"\0")
        if len(packed) > form.room:
            value = struct.pack(form.order + form.word, add(packed))
        entries += struct.pack(form.order + "HH" + form.word, tag, kind, count) + value
    directory = struct.pack(form.order + form.head, len(values)) + entries + bytes(form.room)
    struct.pack_into(form.order + form.word, out, len(header), add(directory))
    return bytes(out)


def _cut(data: bytes, place: int, size: int) -> bytes:
    if place + size > len(data):
        raise InvalidImage("The TIFF is cut off.", expected=place + size, length=len(data))
    return data[place : place + size]
