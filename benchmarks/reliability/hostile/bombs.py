"""Small files that would cost much time or memory, by name: what each is built to make a decoder do."""

import io
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import chain
from typing import Any

import numpy as np
from PIL import Image

Chunk = tuple[bytes, bytes]  # a PNG's: kind, content

SMALL, MIDDLE, LARGE = 28, 2000, 4000  # pixels a side: of none, of 4 and of 16 megapixels


@dataclass(frozen=True)
class Bomb:
    """One file."""

    name: str
    data: bytes
    large: bool  # whether it is a picture of more than 4 megapixels that may be read


@cache
def bombs() -> tuple[Bomb, ...]:
    """All of them; 8 MB at most each, what a caller may send."""
    parts = (_pngs(), _jpegs(), _webps(), _gifs(), _tiffs(), _bitmaps(), _others())
    made = tuple(Bomb(name, data, "16 megapixels" in name) for name, data in chain(*parts))
    assert len({bomb.name for bomb in made}) == len(made)
    assert max(len(bomb.data) for bomb in made) <= 8 << 20
    return made


def _saved(form: str, side: int, mode: str = "L", image: Image.Image | None = None, **options: Any) -> bytes:
    out = io.BytesIO()
    (image or Image.new(mode, (side, side))).save(out, form, **options)
    return out.getvalue()


def _noise(side: int, channels: int = 1) -> Image.Image:
    pixels = np.random.default_rng(side).integers(0, 256, (side, side, channels), np.uint8)
    return Image.fromarray(pixels[..., 0] if channels == 1 else pixels)


def _png(*chunks: Chunk) -> bytes:
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(_chunk, chunks))


def _chunk(chunk: Chunk) -> bytes:
    kind, content = chunk
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def _header(width: int, height: int, depth: int = 8, colour: int = 0, interlaced: int = 0) -> Chunk:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, interlaced)


IEND: Chunk = (b"IEND", b"")
ROWS: Chunk = (b"IDAT", zlib.compress(bytes((SMALL + 1) * SMALL)))  # of a gray picture SMALL x SMALL


def _pngs() -> Iterator[tuple[str, bytes]]:
    for width, height in ((10_001, 1), (1, 30_000_000), (60_000, 60_000), (LARGE + 1, LARGE), (2**31 - 1, 2**31 - 1)):
        yield f"a PNG whose header says {width} x {height}", _png(_header(width, height), ROWS, IEND)
    for mode in ("1", "L", "RGB", "RGBA", "I;16"):
        yield f"a PNG of 16 megapixels of nothing, {mode}", _saved("PNG", LARGE, mode)
        yield f"a PNG of 4 megapixels of nothing, {mode}", _saved("PNG", MIDDLE, mode)
    yield "a PNG of 4 megapixels of noise", _saved("PNG", MIDDLE, image=_noise(MIDDLE), compress_level=1)
    rows = zlib.compress(bytes((MIDDLE + 1) * MIDDLE * 2))
    yield "a PNG of 4 megapixels, interlaced", _png(_header(MIDDLE, MIDDLE, interlaced=1), (b"IDAT", rows), IEND)
    small, text = _header(SMALL, SMALL), zlib.compress(bytes(64 << 20))
    yield "a PNG of 64 MB of packed text", _png(small, (b"zTXt", b"k\0\0" + text), ROWS, IEND)
    yield "a PNG of 64 MB of packed international text", _png(small, (b"iTXt", b"k\0\1\0\0\0" + text), ROWS, IEND)
    yield "a PNG of a packed profile of 64 MB", _png(small, (b"iCCP", b"k\0\0" + text), ROWS, IEND)
    yield "a PNG whose rows are followed by 64 MB more", _png(small, (b"IDAT", text), IEND)
    yield "a PNG of 690,000 empty chunks", _png(small) + _chunk((b"tEXt", b"")) * 690_000 + _png(ROWS, IEND)[8:]
    pieces = b"".join(_chunk((b"IDAT", bytes([byte]))) for byte in rows[:400_000])
    yield "a PNG whose rows come a byte at a time", _png(_header(MIDDLE, 2 * MIDDLE)) + pieces + _chunk(IEND)
    yield "a PNG of a palette of 8 MB", _png(_header(SMALL, SMALL, colour=3), (b"PLTE", bytes(7_999_998)), ROWS, IEND)
    frames = [Image.new("L", (SMALL, SMALL), shade % 256) for shade in range(2000)]
    yield "a PNG of 2,000 frames", _saved("PNG", SMALL, save_all=True, append_images=frames)
    yield "a PNG of 4 megapixels, cut short", _saved("PNG", MIDDLE, image=_noise(MIDDLE), compress_level=1)[:2_000_000]


def _jpegs() -> Iterator[tuple[str, bytes]]:
    small = _saved("JPEG", SMALL)
    for width, height in ((9000, 9000), (65_535, 65_535), (65_535, 1), (LARGE, 0)):
        yield f"a JPEG whose header says {width} x {height}", _resized(small, b"\xff\xc0", width, height)
    for mode in ("L", "RGB", "CMYK"):
        yield f"a JPEG of 16 megapixels of nothing, {mode}", _saved("JPEG", LARGE, mode)
        yield f"a JPEG of 4 megapixels of nothing, {mode}", _saved("JPEG", MIDDLE, mode)
    noise = _noise(MIDDLE)
    yield "a JPEG of 4 megapixels of noise", _saved("JPEG", MIDDLE, image=noise, quality=95)
    yield "a progressive JPEG of 4 megapixels", _saved("JPEG", MIDDLE, image=noise, quality=80, progressive=True)
    yield "a progressive JPEG of 16 megapixels", _saved("JPEG", LARGE, "RGB", progressive=True)
    yield "a JPEG of 4 megapixels, cut short", _saved("JPEG", MIDDLE, image=noise)[:300_000]
    yield "a JPEG that begins anew at each block", _saved("JPEG", MIDDLE, restart_marker_blocks=1)
    yield "a JPEG of 135,000 scans", _resized(_scans(16, 135_000), b"\xff\xc2", LARGE, LARGE)
    yield "a JPEG of 49 scans of 4 megapixels", _scans(MIDDLE, 49)
    yield "a JPEG of 12 scans of 16 megapixels", _scans(LARGE, 12)
    yield "a JPEG of 100,000 segments", small[:2] + (b"\xff\xe1\x00\x46" + bytes(68)) * 100_000 + small[2:]
    table = small[small.index(b"\xff\xdb") : small.index(b"\xff\xc0")]
    yield "a JPEG of 50,000 tables", small[:2] + table * 50_000 + small[2:]
    comment = (b"\xff\xfe\xff\xff" + bytes(65_533)) * 120
    yield "a JPEG of 7.8 MB of comments", small[:2] + comment + small[2:]
    loop = b"Exif\0\0II*\0\x08\0\0\0" + b"\x01\0" + struct.pack("<HHII", 0x8769, 4, 1, 8) + struct.pack("<I", 8)
    exif = b"\xff\xe1" + struct.pack(">H", len(loop) + 2) + loop
    yield "a JPEG whose Exif directories are a ring", small[:2] + exif + small[2:]


def _resized(jpeg: bytes, marker: bytes, width: int, height: int) -> bytes:
    data = bytearray(jpeg)
    struct.pack_into(">HH", data, data.index(marker) + 5, height, width)
    return bytes(data)


def _scans(side: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan is repeated till there are so many."""
    data = _saved("JPEG", side, progressive=True)
    last = data.rindex(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - data.count(b"\xff\xda") + 1) + data[-2:]


def _webps() -> Iterator[tuple[str, bytes]]:
    lossless = bytearray(_saved("WEBP", SMALL, lossless=True))
    struct.pack_into("<I", lossless, 21, 8999 | 8999 << 14)
    yield "a lossless WebP whose header says 9000 x 9000", bytes(lossless)
    lossy = bytearray(_saved("WEBP", SMALL))
    struct.pack_into("<HH", lossy, 26, 16_383, 16_383)
    yield "a WebP whose header says 16383 x 16383", bytes(lossy)
    for kind in (False, True):
        of = "lossless " * kind
        yield f"a {of}WebP of 16 megapixels of nothing", _saved("WEBP", LARGE, "RGB", lossless=kind, method=0)
        yield f"a {of}WebP of 4 megapixels of nothing", _saved("WEBP", MIDDLE, "RGB", lossless=kind, method=0)
    yield "a WebP of 4 megapixels of noise", _saved("WEBP", MIDDLE, image=_noise(MIDDLE), method=0, quality=60)
    small = _saved("WEBP", SMALL) + b"junk\0\0\0\0" * 900_000
    yield "a WebP of 900,000 chunks", small[:4] + struct.pack("<I", len(small) - 8) + small[8:]
    frames = [Image.new("L", (SMALL, SMALL), shade % 256) for shade in range(1000)]
    yield "a WebP of 1,000 frames", _saved("WEBP", SMALL, save_all=True, append_images=frames, lossless=True, method=0)


def _gifs() -> Iterator[tuple[str, bytes]]:
    small = _saved("GIF", SMALL)
    yield "a GIF whose screen is 65535 x 65535", small[:6] + struct.pack("<HH", 65_535, 65_535) + small[10:]
    frame = bytearray(small)
    struct.pack_into("<HH", frame, frame.index(b",", 13) + 5, 65_535, 65_535)
    yield "a GIF whose frame is larger than its screen", bytes(frame)
    yield "a GIF of 4 megapixels of nothing", _saved("GIF", MIDDLE)
    yield "a GIF of 16 megapixels of nothing", _saved("GIF", LARGE)
    yield "a GIF of 4 megapixels of noise", _saved("GIF", MIDDLE, image=_noise(MIDDLE))
    at = 13 + (3 << ((small[10] & 7) + 1))
    yield "a GIF of a million comments", small[:at] + b"\x21\xfe\x01a\0" * 1_000_000 + small[at:]
    frames = [Image.new("L", (SMALL, SMALL), shade % 256) for shade in range(5000)]
    yield "a GIF of 5,000 frames", _saved("GIF", SMALL, save_all=True, append_images=frames)


def _directory(*entries: tuple[int, int, int, int], after: int = 0) -> bytes:
    """A TIFF of nothing but a directory: entries of tag, type, count and value."""
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0" + struct.pack("<IH", 8, len(entries)) + body + struct.pack("<I", after)


def _shape(width: int, height: int, *, compression: int = 1) -> list[tuple[int, int, int, int]]:
    return [(256, 4, 1, width), (257, 4, 1, height), (258, 3, 1, 8), (259, 3, 1, compression), (262, 3, 1, 1)]


def _tiffs() -> Iterator[tuple[str, bytes]]:
    tiles = [(322, 4, 1, 1 << 20), (323, 4, 1, 1 << 20), (324, 4, 1, 8), (325, 4, 1, 8)]
    yield "a TIFF of tiles of a terapixel", _directory(*_shape(8, 8, compression=5), *tiles)
    strip = [(273, 4, 1, 8), (277, 3, 1, 1), (278, 4, 1, 1 << 30), (279, 4, 1, 1 << 30)]
    yield "a TIFF of a strip of a gigabyte", _directory(*_shape(SMALL, SMALL), *strip)
    yield "a TIFF that says 60000 x 60000", _directory(*_shape(60_000, 60_000), *strip)
    yield "a TIFF whose directories are a ring", _directory(*_shape(SMALL, SMALL), *strip, after=8)
    yield "a TIFF of 60,000 entries", _directory(*_shape(SMALL, SMALL), *([(270, 4, 1, 8)] * 60_000))
    yield "a TIFF of an entry of 4 gigabytes", _directory(*_shape(SMALL, SMALL), (270, 2, 2**32 - 1, 8))
    for compression in ("tiff_deflate", "tiff_lzw", "packbits"):
        yield f"a TIFF of 16 megapixels, {compression}", _saved("TIFF", LARGE, compression=compression)
        yield f"a TIFF of 4 megapixels, {compression}", _saved("TIFF", MIDDLE, compression=compression)
    yield "a TIFF of 4 megapixels of a fax", _saved("TIFF", MIDDLE, "1", compression="group4")
    yield "a TIFF of 4 megapixels of numbers", _saved("TIFF", MIDDLE, "F", compression="tiff_deflate")
    scans = _saved("TIFF", SMALL, compression="jpeg") + b"\xff\xda" * 1_000_000
    yield "a TIFF of a million scans", scans
    frames = [Image.new("L", (SMALL, SMALL), shade % 256) for shade in range(2000)]
    yield "a TIFF of 2,000 pages", _saved("TIFF", SMALL, save_all=True, append_images=frames)
    big = b"II+\0" + struct.pack("<HHQ", 8, 0, 16) + struct.pack("<Q", 2**60)
    yield "a BigTIFF of 2^60 entries", big


def _bitmaps() -> Iterator[tuple[str, bytes]]:
    for width, height in ((60_000, 60_000), (SMALL, -(2**31)), (2**31 - 1, 1)):
        yield f"a BMP that says {width} x {height}", _bitmap(width, height, 24, 0, bytes(1000))
    yield "a packed BMP of 16 megapixels", _bitmap(LARGE, LARGE, 8, 1, b"\xff\0" * (LARGE * LARGE // 255 + 1))
    yield "a packed BMP of 4 megapixels", _bitmap(MIDDLE, MIDDLE, 8, 1, b"\xff\0" * (MIDDLE * MIDDLE // 255 + 1))
    yield "a packed BMP that never moves", _bitmap(MIDDLE, MIDDLE, 8, 1, b"\0\2\0\0" * 1_900_000)
    yield "a BMP of 4 megapixels", _saved("BMP", MIDDLE)


def _bitmap(width: int, height: int, bits: int, compression: int, pixels: bytes) -> bytes:
    palette = bytes(1024) if bits == 8 else b""
    info = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, len(pixels), 0, 0, len(palette) // 4, 0)
    at = 14 + len(info) + len(palette)
    return b"BM" + struct.pack("<IHHI", at + len(pixels), 0, 0, at) + info + palette + pixels


def _others() -> Iterator[tuple[str, bytes]]:
    yield "8 MB of nothing", bytes(8_000_000)
    yield "8 MB of gzip of nothing", zlib.compress(bytes(64 << 20), wbits=31)
    entities = "".join(f'<!ENTITY l{n + 1} "{f"&l{n};" * 10}">' for n in range(9))
    laughs = f'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY l0 "lol">{entities}]><svg>&l9;</svg>'
    yield "an SVG of a thousand million laughs", laughs.encode()
    yield "a PostScript program without end", b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 28 28\n{} loop\n"
    yield "a PGM that says 60000 x 60000", b"P5 60000 60000 255\n"
    yield "a PSD that says 30000 x 30000", b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30_000, 30_000, 8, 3)
