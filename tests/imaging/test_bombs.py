"""Small files that would cost much time or memory: each is refused by the limit meant for it, before decoding."""

import struct
import zlib

import numpy as np
import pytest
from PIL import Image

from app.errors import ImageTooLarge
from app.imaging import DecodeLimits, decode, probe
from benchmarks.forms import encode

GRAY = np.add.outer(np.arange(30) * 5, np.arange(20) * 5).astype(np.uint8)  # (30, 20)
IDAT = b"IDAT", zlib.compress(b"".join(b"\0" + row.tobytes() for row in GRAY))
IEND = b"IEND", b""


def png(*chunks: tuple[bytes, bytes]) -> bytes:
    """A PNG of the chunks given, with right checksums."""
    return b"\x89PNG\r\n\x1a\n" + b"".join(map(chunk, chunks))


def chunk(part: tuple[bytes, bytes]) -> bytes:
    kind, content = part
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))


def header(width: int, height: int) -> tuple[bytes, bytes]:
    return b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)


def refused(data: bytes, limits: DecodeLimits) -> tuple[float, float, str]:
    """Which limit refused the bytes: the limit, what was found, and its unit."""
    with pytest.raises(ImageTooLarge) as caught:
        decode(data, limits)
    details = caught.value.details
    assert details["actual"] > details["limit"]
    return details["limit"], details["actual"], details["unit"]


def progressive(width: int, height: int, scans: int) -> bytes:
    """A progressive JPEG whose last scan, which refines nothing that is needed, comes `scans` times in all."""
    data = encode(Image.new("L", (width, height)), "JPEG", progressive=True)
    last = data.rindex(b"\xff\xda")
    own = data.count(b"\xff\xda")
    return data[:last] + data[last:-2] * (scans - own + 1) + data[-2:]


@pytest.mark.parametrize("size", [(10_001, 1), (1, 10_001), (1, 30_000_000), (60_000, 60_000)])
def test_too_long_a_side(limits, size):
    """A PNG with too long a side, 1 x 30,000,000 pixels among them, is refused by its header alone."""
    assert refused(png(header(*size), IDAT, IEND), limits) == (10_000, max(size), "pixels")


def test_too_many_pixels(limits):
    """A PNG of more than sixteen megapixels is refused by its header alone."""
    assert refused(png(header(4001, 4000), IDAT, IEND), limits) == (16_000_000, 16_004_000, "pixels")


def test_webp_of_nine_thousand_pixels_a_side(limits):
    """A WebP of 9,000 x 9,000 pixels is refused, whichever of its three headers says so."""
    lossless = bytearray(encode(Image.new("L", (20, 30)), "WEBP", lossless=True))
    struct.pack_into("<I", lossless, 21, 8999 | 8999 << 14)
    lossy = bytearray(encode(Image.new("L", (20, 30)), "WEBP", quality=50))
    struct.pack_into("<HH", lossy, 26, 9000, 9000)
    extended = b"VP8X" + struct.pack("<IIHBHB", 10, 0, 8999, 0, 8999, 0) + bytes(lossless[12:])
    riff = b"RIFF" + struct.pack("<I", 4 + len(extended)) + b"WEBP" + extended
    for data in (bytes(lossless), bytes(lossy), riff):
        assert refused(data, limits) == (16_000_000, 81_000_000, "pixels")


def test_small_jpeg_of_huge_size(limits):
    """A JPEG of some hundred bytes whose header says 9,000 x 9,000 pixels is refused."""
    data = bytearray(encode(Image.new("L", (8, 8)), "JPEG"))
    struct.pack_into(">HH", data, data.index(b"\xff\xc0") + 5, 9000, 9000)
    assert len(data) < 400
    assert refused(bytes(data), limits) == (16_000_000, 81_000_000, "pixels")


@pytest.mark.parametrize(("format_name", "options"), [("WEBP", {"lossless": True}), ("JPEG", {}), ("GIF", {})])
@pytest.mark.parametrize(("limit", "found"), [({"max_pixels": 599}, 600), ({"max_side": 29}, 30)])
def test_every_header_is_held_against_the_limits(format_name, options, limit, found):
    """The size stands in every format's header, and is held against the limits on pixels and sides."""
    data = encode(Image.fromarray(GRAY), format_name, **options)
    assert refused(data, DecodeLimits(**limit)) == (found - 1, found, "pixels")


def test_jpeg_of_135_000_scans(limits):
    """A JPEG of sixteen megapixels with 135,000 progressive scans is refused at the first scan that is too much."""
    data = bytearray(progressive(16, 16, 135_000))
    struct.pack_into(">HH", data, data.index(b"\xff\xc2") + 5, 4000, 4000)
    limit, found, unit = refused(bytes(data), limits)
    assert (limit, found, unit) == (200, 208, "scans x megapixels")


def test_jpeg_of_too_many_scans(limits):
    """A tiny JPEG with one scan more than the limit is refused, and one with as many as the limit is read."""
    few = DecodeLimits(max_scans=20)
    assert refused(progressive(8, 8, 21), few) == (20, 21, "scans")
    assert decode(progressive(8, 8, 20), few).shape == (8, 8)
    assert refused(progressive(8, 8, 1001), DecodeLimits(max_chunks=10_000)) == (1000, 1001, "scans")


def test_jpeg_of_too_much_work():
    """Scans times megapixels just over the limit are refused by that limit, and just under it are read."""
    limits = DecodeLimits(max_scan_megapixels=0.2)
    assert decode(progressive(100, 100, 20), limits).shape == (100, 100)
    limit, found, unit = refused(progressive(100, 100, 21), limits)
    assert (limit, unit) == (0.2, "scans x megapixels")
    assert found == pytest.approx(0.21)


def test_tiff_of_jpeg_strips_with_many_scans(limits):
    """The scans of JPEG strips in a TIFF count as a JPEG's do."""
    data = encode(Image.fromarray(GRAY), "TIFF", compression="jpeg")
    assert decode(data, limits).shape == (30, 20)
    assert refused(data + b"\xff\xda" * 1000, limits)[2] == "scans"


def test_compressed_text_never_reaches_the_decoder(limits):
    """Sixty-three megabytes of compressed text change nothing: the walk leaves text out."""
    text = (b"zTXt", b"k\0\0" + zlib.compress(bytes(1 << 20)))
    assert np.array_equal(decode(png(header(20, 30), *[text] * 63, IDAT, IEND), limits), GRAY)


def test_690_000_empty_png_chunks(limits):
    """A PNG of empty chunks is refused by their number."""
    data = png(header(20, 30)) + chunk((b"tEXt", b"")) * 690_000 + chunk(IDAT) + chunk(IEND)
    assert refused(data, limits)[2] == "parts"


def test_100_000_jpeg_segments(limits):
    """A JPEG of 100,000 application segments of 70 bytes is refused by their number."""
    jpeg = encode(Image.fromarray(GRAY), "JPEG")
    assert refused(jpeg[:2] + (b"\xff\xe1\x00\x46" + bytes(68)) * 100_000 + jpeg[2:], limits)[2] == "parts"


def test_many_gif_blocks_and_webp_chunks(limits):
    """Extension blocks before a GIF's frame, and a WebP's chunks, are refused by their number."""
    gif = encode(Image.fromarray(GRAY), "GIF")
    at = 13 + (3 << ((gif[10] & 7) + 1))
    assert refused(gif[:at] + b"\x21\xfe\x01a\x00" * 2000 + gif[at:], limits)[2] == "parts"
    webp = encode(Image.fromarray(GRAY), "WEBP") + b"junk\0\0\0\0" * 2000
    assert refused(webp[:4] + struct.pack("<I", len(webp) - 8) + webp[8:], limits)[2] == "parts"


def test_many_frames_are_not_decoded(limits, monkeypatch):
    """Of an animation of many frames only the first is ever looked for."""

    def never(*_: object) -> None:
        raise AssertionError("a frame was sought")

    frames = [Image.fromarray(np.roll(GRAY, shift, 0)) for shift in range(1, 100)]
    for format_name, options in (("GIF", {}), ("WEBP", {"lossless": True})):
        data = encode(Image.fromarray(GRAY), format_name, save_all=True, append_images=frames, **options)
        with monkeypatch.context() as patched:
            patched.setattr("PIL.GifImagePlugin.GifImageFile.seek", never)
            patched.setattr("PIL.WebPImagePlugin.WebPImageFile.seek", never)
            assert np.array_equal(decode(data, limits), GRAY)


def test_huge_tiff_tiles(limits):
    """A small TIFF with tiles of gigapixels is refused."""
    entries = [(256, 4, 1, 8), (257, 4, 1, 8), (258, 3, 1, 8), (259, 3, 1, 5), (262, 3, 1, 1)]
    entries += [(322, 4, 1, 1 << 20), (323, 4, 1, 1 << 20), (324, 4, 1, 8), (325, 4, 1, 8)]
    directory = struct.pack("<H", len(entries)) + b"".join(struct.pack("<HHII", *entry) for entry in entries) + bytes(4)
    with pytest.raises(ImageTooLarge) as caught:
        probe(b"II*\0" + struct.pack("<I", 8) + directory, limits)
    assert caught.value.details == {"limit": 10_000, "actual": 1 << 20, "unit": "pixels"}
