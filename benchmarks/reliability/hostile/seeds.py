"""Small honest pictures in every format that is read, and in the variants of each: what mutations start from."""

import io
import struct
from collections.abc import Iterator
from functools import cache
from typing import Any

import numpy as np
from PIL import Image, ImageDraw

SIDE = 28  # pixels


def _digit(side: int = SIDE) -> Image.Image:
    """Something like a seven, light on dark."""
    image = Image.new("L", (side, side))
    points = [(side * x // 28, side * y // 28) for x, y in ((6, 6), (21, 6), (11, 23))]
    ImageDraw.Draw(image).line(points, fill=255, width=max(2, side // 10), joint="curve")
    return image


def _saved(image: Image.Image, form: str, **options: Any) -> bytes:
    out = io.BytesIO()
    image.save(out, form, **options)
    return out.getvalue()


@cache
def seeds() -> tuple[bytes, ...]:
    """All of them; the same ones in every process."""
    return tuple(dict.fromkeys([*_pngs(), *_jpegs(), *_tiffs(), *_bitmaps(), *_webps(), *_gifs()]))


def _pngs() -> Iterator[bytes]:
    gray = _digit()
    for mode in ("L", "1", "P", "RGB", "RGBA", "LA"):
        yield _saved(gray.convert(mode), "PNG")
    for bits in (1, 2, 4):
        yield _saved(gray.convert("P"), "PNG", bits=bits)
    yield _saved(Image.fromarray(np.asarray(gray).astype(np.uint16) * 257), "PNG")
    yield _saved(gray, "PNG", transparency=0)
    yield _saved(gray.convert("RGB"), "PNG", transparency=(0, 0, 0))
    yield _saved(gray.convert("P"), "PNG", transparency=b"\x00\x80\xff")
    yield _saved(gray, "PNG", compress_level=0)
    yield _saved(_digit(100), "PNG", dpi=(300, 300), exif=_turned(6))
    yield _saved(gray, "PNG", save_all=True, append_images=[gray.rotate(90)])


def _jpegs() -> Iterator[bytes]:
    gray = _digit()
    for mode in ("L", "RGB", "CMYK"):
        for progressive in (False, True):
            yield _saved(gray.convert(mode), "JPEG", quality=80, progressive=progressive)
    yield _saved(gray, "JPEG", restart_marker_blocks=1)
    yield _saved(_digit(64).convert("RGB"), "JPEG", subsampling=2, exif=_turned(8))
    yield _saved(gray, "JPEG", comment=b"a comment", quality=30)


def _tiffs() -> Iterator[bytes]:
    gray = _digit()
    for compression in (None, "tiff_lzw", "tiff_deflate", "packbits", "jpeg"):
        yield _saved(gray, "TIFF", compression=compression)
        yield _saved(gray.convert("RGB"), "TIFF", compression=compression)
    for compression in (None, "group3", "group4"):
        yield _saved(gray.convert("1"), "TIFF", compression=compression)
    yield _saved(gray.convert("CMYK"), "TIFF")
    yield _saved(gray.convert("LA"), "TIFF")
    yield _saved(gray, "TIFF", big_tiff=True)
    yield _saved(Image.frombytes("I;16B", gray.size, (np.asarray(gray).astype(">u2") * 257).tobytes()), "TIFF")
    yield _saved(gray.convert("F"), "TIFF")
    yield _saved(gray.convert("I"), "TIFF", compression="tiff_lzw")
    yield _saved(gray, "TIFF", tiffinfo={274: 5, 270: "a description"})
    yield _saved(gray, "TIFF", save_all=True, append_images=[gray, gray])


def _bitmaps() -> Iterator[bytes]:
    gray = _digit()
    for mode in ("L", "1", "P", "RGB", "RGBA"):
        yield _saved(gray.convert(mode), "BMP")
    yield _run_length()


def _run_length() -> bytes:
    """A BMP in RLE8, which Pillow reads and does not write."""
    runs = b"".join(bytes((SIDE, 200 if row % 5 else 0, 0, 0)) for row in range(SIDE)) + b"\0\1"
    palette = b"".join(bytes((level, level, level, 0)) for level in range(256))
    start = 14 + 40 + len(palette)
    info = struct.pack("<IiiHHIIiiII", 40, SIDE, SIDE, 1, 8, 1, len(runs), 2835, 2835, 256, 0)
    return b"BM" + struct.pack("<IHHI", start + len(runs), 0, 0, start) + info + palette + runs


def _webps() -> Iterator[bytes]:
    gray = _digit()
    yield _saved(gray, "WEBP", quality=80)
    yield _saved(gray, "WEBP", lossless=True)
    yield _saved(gray.convert("LA").convert("RGBA"), "WEBP", quality=50)
    yield _saved(gray.convert("RGBA"), "WEBP", lossless=True)
    yield _saved(gray, "WEBP", exif=_turned(3))
    yield _saved(gray, "WEBP", save_all=True, append_images=[gray.rotate(90)], duration=100)


def _gifs() -> Iterator[bytes]:
    gray = _digit()
    yield _saved(gray, "GIF")
    yield _saved(gray, "GIF", interlace=True)
    yield _saved(gray.convert("P"), "GIF", transparency=0)
    yield _saved(gray, "GIF", comment=b"a comment")
    yield _saved(gray, "GIF", save_all=True, append_images=[gray.rotate(90), gray.rotate(180)], duration=100, loop=0)


def _turned(orientation: int) -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = orientation
    return exif
