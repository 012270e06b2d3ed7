"""TIFF 6.0 and BigTIFF: directories of entries, of which the first counts."""

import struct

from app.errors import InvalidImage, UnsupportedMediaType
from app.imaging.containers.common import Container, DecodeLimits, check_chunks, check_size, refuse, unpack
from app.imaging.containers.jpeg import check_scans

SIGNATURES = (b"II*\0", b"MM\0*", b"II+\0", b"MM\0+")
SIZES = {1: 1, 2: 1, 3: 2, 4: 4, 5: 8, 6: 1, 7: 1, 8: 2, 9: 4, 10: 8, 11: 4, 12: 8, 13: 4, 16: 8, 17: 8, 18: 8}
WIDTH, HEIGHT, COMPRESSION, ORIENTATION = 256, 257, 259, 274
STRIPS, STRIP_BYTES, TILES, TILE_BYTES, TILE_WIDTH, TILE_HEIGHT = 273, 279, 324, 325, 322, 323
NEEDED = {
    *(WIDTH, HEIGHT, 258, COMPRESSION, 262, 266, STRIPS, 277, 278, STRIP_BYTES, 284, 292, 293, 317, 320),
    *(TILE_WIDTH, TILE_HEIGHT, TILES, TILE_BYTES, 338, 339, 347, 530, 531, 532),
}  # what the pixels depend on; no turn, no metadata, no further directories
COMPRESSIONS = {1, 2, 3, 4, 5, 7, 8, 32773, 32946}  # none, fax, LZW, JPEG, deflate, PackBits
JPEG = 7


def matches(data: bytes) -> bool:
    """Whether the bytes begin as a TIFF file does."""
    return data.startswith(SIGNATURES)


def walk(data: bytes, limits: DecodeLimits) -> Container:
    """The first directory, rewritten at the file's end with only what the pixels need."""
    order = "<" if data[:2] == b"II" else ">"
    big = data[2:4] in (b"+\0", b"\0+")
    head, step, word = ("Q", 20, "Q") if big else ("H", 12, "I")
    (start,) = unpack(order + word, data, 8 if big else 4)
    (count,) = unpack(order + head, data, start)
    check_chunks(count, data, limits)
    values: dict[int, int] = {}
    arrays: dict[int, tuple[int, ...]] = {}
    entries = []
    for index in range(count):
        at = start + struct.calcsize(head) + step * index
        tag, kind, number = unpack(order + "HH" + word, data, at)
        if tag not in NEEDED and tag != ORIENTATION:
            continue
        _check_entry(tag, kind, number, data, limits)
        layout = {1: "B", 3: "H", 4: "I", 16: "Q"}.get(kind)
        if layout is not None and number == 1:
            values[tag] = unpack(order + layout, data, at + step - struct.calcsize(word))[0]
        if layout is not None and tag in (STRIPS, TILES, STRIP_BYTES, TILE_BYTES):
            place = at + step - struct.calcsize(word)
            if number * SIZES[kind] > struct.calcsize(word):
                (place,) = unpack(order + word, data, place)
            arrays[tag] = unpack(f"{order}{number}{layout}", data, place)
        if tag != ORIENTATION:
            entries.append(data[at : at + step])
    width, height = values.get(WIDTH, 0), values.get(HEIGHT, 0)
    check_size(width, height, limits)
    if TILE_WIDTH in values or TILE_HEIGHT in values:
        check_size(values.get(TILE_WIDTH, 0), values.get(TILE_HEIGHT, 0), limits)
    _check_ends(arrays.get(STRIPS, arrays.get(TILES)), arrays.get(STRIP_BYTES, arrays.get(TILE_BYTES)), data)
    compression = values.get(COMPRESSION, 1)
    if compression not in COMPRESSIONS:
        raise UnsupportedMediaType("This compression of TIFF is not read.", compression=compression)
    if compression == JPEG:
        # Strips may share their bytes, so each scan is taken to go over the whole picture, which refuses some honest
        # large files of very many strips.
        check_scans(data.count(b"\xff\xda"), width, height, limits)
    directory = struct.pack(order + head, len(entries)) + b"".join(entries) + struct.pack(order + word, 0)
    padded = data + b"\0" * (len(data) % 2)
    header = padded[:8] if big else padded[:4]
    body = header + struct.pack(order + word, len(padded)) + padded[len(header) + struct.calcsize(word) :] + directory
    turn = values.get(ORIENTATION, 1)
    return Container("TIFF", width, height, turn if 1 <= turn <= 8 else 1, body)


def _check_entry(tag: int, kind: int, number: int, data: bytes, limits: DecodeLimits) -> None:
    """Values lie in the file, and there are no more strips or tiles than a side has pixels."""
    if kind not in SIZES or number * SIZES[kind] > len(data):
        raise InvalidImage("An entry of the TIFF is broken.", tag=tag)
    if number > limits.max_side and tag != 347:
        refuse("The TIFF has too many strips or tiles.", limits.max_side, number, "strips")


def _check_ends(offsets: tuple[int, ...] | None, lengths: tuple[int, ...] | None, data: bytes) -> None:
    """Every strip or tile lies in the file."""
    for offset, length in zip(offsets or (), lengths or (), strict=False):
        if offset + length > len(data):
            raise InvalidImage("The TIFF is cut off.", expected=offset + length, length=len(data))
