"""One picture from others, spoilt: deterministic, each from its number alone.

Half of what is made of a PNG has its checksums put right again, else nearly all would end at the first of them; and
some have their compressed pixels unpacked, spoilt and packed again, so that what comes behind the inflater is reached.
"""

import struct
import zlib
from collections.abc import Callable, Sequence
from random import Random

LONGEST = 256 * 1024  # bytes of a spoilt picture
STRIKING = (0, 1, 2, 3, 4, 7, 8, 16, 32, 64, 100, 127, 128, 255, 256, 1000, 4096, 32767, 32768, 65535, 65536, 2**31 - 1)
STRIKING_BYTES = tuple(
    struct.pack(layout, value & (2 ** (8 * width) - 1))
    for value in (*STRIKING, 2**31, 2**32 - 1, -2)
    for width, layout in ((1, "B"), (2, "<H"), (2, ">H"), (4, "<I"), (4, ">I"))
)
WORDS = (
    *(
        b"IHDR",
        b"PLTE",
        b"IDAT",
        b"IEND",
        b"tRNS",
        b"acTL",
        b"fcTL",
        b"fdAT",
        b"zTXt",
        b"iCCP",
        b"eXIf",
        b"\x89PNG\r\n",
    ),
    *(
        b"\xff\xd8",
        b"\xff\xd9",
        b"\xff\xda",
        b"\xff\xc0",
        b"\xff\xc2",
        b"\xff\xc4",
        b"\xff\xdb",
        b"\xff\xdd",
        b"\xff\xe1",
    ),
    *(
        b"II*\0",
        b"MM\0*",
        b"II+\0\x08\0\0\0",
        b"Exif\0\0",
        b"RIFF",
        b"WEBP",
        b"VP8 ",
        b"VP8L",
        b"VP8X",
        b"ALPH",
        b"ANMF",
    ),
    *(b"GIF87a", b"GIF89a", b"\x21\xf9\x04", b"\x21\xff\x0b", b"\x2c", b"\x3b", b"BM", b"\0" * 16, b"\xff" * 16),
)

Change = Callable[[bytearray, Random, Sequence[bytes]], None]


def mutated(case: int, seed: int, seeds: Sequence[bytes]) -> bytes:
    """The picture of that number."""
    rng = Random(seed * 1_000_000_007 + case)
    data = bytearray(rng.choice(seeds))
    if data.startswith(b"\x89PNG") and rng.random() < 0.2:
        _pixels(data, rng, seeds)
    else:
        for _ in range(1 << rng.randrange(4)):
            rng.choice(CHANGES)(data, rng, seeds)
    if data.startswith(b"\x89PNG") and rng.random() < 0.5:
        _checksums(data)
    return bytes(data[:LONGEST])


def _bit(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if data:
        data[_place(data, rng)] ^= 1 << rng.randrange(8)


def _byte(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    if data:
        data[_place(data, rng)] = rng.randrange(256)


def _number(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """A number that is a limit of something."""
    place, number = _place(data, rng), rng.choice(STRIKING_BYTES)
    data[place : place + len(number)] = number


def _word(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """A format's own word, over what is there or between it."""
    place, word = _place(data, rng), rng.choice(WORDS)
    data[place : place + len(word) * rng.randrange(2)] = word


def _cut(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    del data[rng.randrange(len(data) + 1) :]


def _without(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place = _place(data, rng)
    del data[place : place + 1 + rng.randrange(32)]


def _again(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    """A piece once more, or many times."""
    start, place = _place(data, rng), _place(data, rng)
    piece = bytes(data[start : start + 1 + rng.randrange(64)])
    times = rng.choice((1, 1, 2, 5, 50, 1000))
    if len(data) + times * len(piece) <= LONGEST:
        data[place:place] = piece * times


def _spliced(data: bytearray, rng: Random, seeds: Sequence[bytes]) -> None:
    """The end of another picture, or a piece of it."""
    other = rng.choice(seeds)
    start, place = rng.randrange(len(other)), _place(data, rng)
    if rng.random() < 0.5:
        data[place:] = other[start:]
    else:
        piece = other[start : start + 1 + rng.randrange(64)]
        data[place : place + len(piece)] = piece


def _noise(data: bytearray, rng: Random, _: Sequence[bytes]) -> None:
    place, length = _place(data, rng), 1 + rng.randrange(64)
    data[place : place + length] = rng.randbytes(length)


CHANGES: tuple[Change, ...] = (
    _bit,
    _bit,
    _byte,
    _byte,
    _number,
    _number,
    _word,
    _cut,
    _without,
    _again,
    _spliced,
    _noise,
)


def _place(data: bytearray, rng: Random) -> int:
    """Somewhere; half of the time in the head, where the sizes stand."""
    return rng.randrange(min(len(data), 64) if rng.random() < 0.5 else len(data)) if data else 0


def _pixels(data: bytearray, rng: Random, seeds: Sequence[bytes]) -> None:
    """A PNG's pixels: unpacked, spoilt, packed again."""
    at = data.find(b"IDAT")
    if at < 4:
        return
    length = int.from_bytes(data[at - 4 : at], "big")
    try:
        pixels = bytearray(zlib.decompress(data[at + 4 : at + 4 + length]))
    except zlib.error:
        return
    rng.choice(CHANGES)(pixels, rng, seeds)
    packed = zlib.compress(pixels, 1)
    data[at - 4 : at + 8 + length] = _chunk(b"IDAT", packed)


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _checksums(data: bytearray) -> None:
    """Put every chunk's right, as far as the lengths lead."""
    at = 8
    while at + 12 <= len(data):
        end = at + 8 + int.from_bytes(data[at : at + 4], "big")
        if end + 4 > len(data):
            return
        data[end : end + 4] = zlib.crc32(data[at + 4 : end]).to_bytes(4, "big")
        at = end + 4
