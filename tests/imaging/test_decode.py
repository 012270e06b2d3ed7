"""Decoding: every format and depth, every bound held before anything is decoded, and broken files of all kinds."""

import io
import struct
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from app.errors import ImageTooLarge, InvalidImage, RequestError, UnsupportedMediaType
from app.imaging import DecodeLimits, decode, normalize, probe
from benchmarks.forms import encode, exif_turned

GRAY = np.add.outer(np.arange(30) * 5, np.arange(20) * 5).astype(np.uint8)  # (30, 20), no two corners alike
LOSSLESS: dict[str, dict[str, Any]] = {
    "PNG": {},
    "TIFF": {},
    "BMP": {},
    "GIF": {},
    "WEBP": {"lossless": True, "exact": True},
}


def as_bytes(format_name: str, **options: Any) -> bytes:
    return encode(Image.fromarray(GRAY), format_name, **options)


@pytest.mark.parametrize("format_name", LOSSLESS)
def test_lossless_formats_agree(format_name, limits):
    """Every lossless format gives the pixels that were put in, and the header says its size."""
    data = as_bytes(format_name, **LOSSLESS[format_name])
    assert np.abs(decode(data, limits).astype(int) - GRAY).max() == 0
    container = probe(data, limits)
    assert (container.format, container.width, container.height) == (format_name, 20, 30)


@pytest.mark.parametrize("compression", ["raw", "tiff_lzw", "tiff_adobe_deflate", "packbits"])
def test_tiff_compressions(compression, limits):
    """TIFF is read in its usual compressions."""
    assert np.array_equal(decode(as_bytes("TIFF", compression=compression), limits), GRAY)


def test_sixteen_bits_are_not_clipped(limits):
    """16 bits give the levels of 8 bits where they were widened, and fractions of them otherwise."""
    wide = GRAY.astype(np.uint16) * 257
    assert np.array_equal(decode(encode(Image.fromarray(wide)), limits), GRAY)
    big_endian = Image.frombytes("I;16B", (20, 30), wide.astype(">u2").tobytes())
    assert np.array_equal(decode(encode(big_endian, "TIFF"), limits), GRAY)
    assert np.allclose(decode(encode(Image.fromarray(wide + 100)), limits), GRAY + 100 / 257, atol=1e-3)


def test_floating_point_tiff_is_stretched(limits):
    """A TIFF of floats from 0 to 1 spans all gray levels; one with a NaN is refused."""
    values = (GRAY / GRAY.max()).astype(np.float32)
    assert np.allclose(decode(encode(Image.fromarray(values), "TIFF"), limits), values * 255, atol=1e-3)
    values[3, 3] = np.nan
    with pytest.raises(InvalidImage):
        decode(encode(Image.fromarray(values), "TIFF"), limits)


@pytest.mark.parametrize("orientation", range(1, 9))
def test_exif_turns(digits, limits, orientation):
    """A JPEG that lies in any of the eight ways comes out upright."""

    class Fixed:
        def integers(self, *_: int) -> int:
            return orientation

    upright = decode(encode(Image.fromarray(255 - digits[0]).resize((112, 112), 3), "JPEG", quality=90), limits)
    turned: Any = Fixed()
    found = decode(exif_turned(digits[0], turned), limits)
    assert np.abs(found.astype(int) - upright).mean() < 3


def test_tiff_orientation(limits):
    """A TIFF's own orientation entry is applied once."""
    data = encode(Image.fromarray(GRAY), "TIFF", tiffinfo={274: 6})
    assert np.array_equal(decode(data, limits), np.rot90(GRAY, -1))


def test_first_frame_counts(limits):
    """Of several frames or pages the first is read."""
    second = Image.fromarray(255 - GRAY)
    for format_name in ("GIF", "TIFF", "PNG"):
        data = as_bytes(format_name, save_all=True, append_images=[second])
        assert np.array_equal(decode(data, limits), GRAY)


def test_large_jpeg_is_read_smaller_with_the_same_answer(digits, limits):
    """A JPEG of many megapixels is decoded at a fraction of its size, and normalises to nearly the same input."""
    large = Image.fromarray(255 - digits[0]).resize((2800, 2800), Image.Resampling.BICUBIC)
    small = decode(encode(large, "JPEG", quality=85), limits)
    assert max(small.shape) == 1400
    difference = normalize(small).input - normalize(np.asarray(large)).input
    assert np.abs(difference).mean() < 0.02


def test_tiff_with_endless_pages(limits):
    """A TIFF whose next directory is itself is read once, not for ever."""
    data = bytearray(as_bytes("TIFF"))
    start = struct.unpack_from("<I", data, 4)[0]
    count = struct.unpack_from("<H", data, start)[0]
    struct.pack_into("<I", data, start + 2 + 12 * count, start)
    assert np.array_equal(decode(bytes(data), limits), GRAY)


def test_tiff_with_an_offset_past_any_memory(limits):
    """A BigTIFF whose directory begins at 2**63 is refused as cut off; found by mutation."""
    with pytest.raises(InvalidImage, match="cut off"):
        decode(b"II+\0\x08\0\0\0" + struct.pack("<Q", 1 << 63), limits)


def test_other_formats_are_named_so(limits):
    """What is none of the six formats is no picture, PostScript and nothing at all included."""
    for data in (b"", b"%!PS-Adobe-3.0 EPSF-3.0\n", b"hello", as_bytes("PPM"), as_bytes("ICO"), bytes(100)):
        with pytest.raises(InvalidImage):
            decode(data, limits)


def test_a_format_that_is_switched_off_is_not_read():
    """With JPEG alone among the formats, a JPEG is read and a PNG is an unsupported type."""
    only_jpeg = DecodeLimits(formats=frozenset({"JPEG"}))
    assert probe(as_bytes("JPEG"), only_jpeg).format == "JPEG"
    with pytest.raises(UnsupportedMediaType):
        probe(as_bytes("PNG"), only_jpeg)


@pytest.mark.parametrize("format_name", ["PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF"])
def test_truncated_files(format_name, limits):
    """A file that is cut off is an invalid picture, wherever it was cut."""
    data = as_bytes(format_name)
    for keep in (0.3, 0.6, 0.9):
        with pytest.raises((InvalidImage, ImageTooLarge)):
            decode(data[: int(len(data) * keep)], limits)


SAMPLES = [as_bytes(name) for name in ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")] + [
    encode(Image.fromarray(GRAY), "JPEG", progressive=True),
    encode(Image.fromarray(GRAY).convert("RGBA"), "WEBP", lossless=True),
    encode(Image.fromarray(GRAY).convert("P"), "TIFF", compression="tiff_lzw"),
]


@pytest.mark.filterwarnings("ignore::UserWarning")  # Pillow warns of some broken TIFF entries
@settings(max_examples=300, deadline=None)
@given(st.data())
def test_mutated_files(data):
    """A file with some bytes changed is read or refused, with one of our own errors."""
    broken = bytearray(data.draw(st.sampled_from(SAMPLES)))
    for _ in range(data.draw(st.integers(1, 6))):
        broken[data.draw(st.integers(0, len(broken) - 1))] = data.draw(st.integers(0, 255))
    try:
        picture = decode(bytes(broken), DecodeLimits(max_pixels=100_000))
    except RequestError:
        return
    assert picture.ndim == 2
    assert picture.dtype in (np.uint8, np.float32)
    assert np.isfinite(normalize(picture).input).all()


def test_decoding_is_repeatable(limits):
    """Nothing of the bytes is changed: the same bytes give the same pixels twice."""
    data = io.BytesIO(as_bytes("WEBP")).getvalue()
    assert np.array_equal(decode(data, limits), decode(data, limits))
