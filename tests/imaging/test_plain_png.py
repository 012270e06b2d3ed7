"""The quick way for gray PNGs says what Pillow says, or nothing."""

import io
import struct
import zlib
from collections.abc import Iterator

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image

from app.errors import ServiceError
from app.imaging import DecodeLimits, probe
from app.imaging.plain_png import plain_gray

LIMITS = DecodeLimits()


def written(pixels: npt.NDArray[np.generic], **options: object) -> bytes:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG", **options)
    return file.getvalue()


def noise(width: int, height: int, seed: int = 0) -> npt.NDArray[np.uint8]:
    return np.random.default_rng(seed).integers(0, 256, (height, width), np.uint8)


def chunks(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    offset = 8
    while offset < len(data):
        (length,) = struct.unpack_from(">I", data, offset)
        yield data[offset + 4 : offset + 8], data[offset + 8 : offset + 8 + length]
        offset += 12 + length


def joined(parts: list[tuple[bytes, bytes]]) -> bytes:
    """A PNG of these chunks, with checksums that hold."""
    whole = b"\x89PNG\r\n\x1a\n"
    for kind, data in parts:
        whole += struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return whole


def by_pillow(data: bytes) -> npt.NDArray[np.uint8] | None:
    try:
        with Image.open(io.BytesIO(data), formats=["PNG"]) as image:
            return np.asarray(image)
    except Exception:  # noqa: BLE001 - whatever it raises, it refuses
        return None


@pytest.mark.parametrize("size", [(1, 1), (28, 28), (3, 200), (200, 200)])
@pytest.mark.parametrize("level", [0, 6])
def test_a_gray_png_is_read_as_it_was_written(size: tuple[int, int], level: int) -> None:
    pixels = noise(*size)
    read = plain_gray(probe(written(pixels, compress_level=level), LIMITS))
    assert read is not None
    assert read.dtype == np.uint8
    np.testing.assert_array_equal(read, pixels)


@pytest.mark.parametrize("mode", ["1", "LA", "RGB", "RGBA", "P", "I;16"])
def test_other_pngs_are_left_to_pillow(mode: str) -> None:
    file = io.BytesIO()
    Image.fromarray(noise(28, 28)).convert(mode).save(file, "PNG")
    assert plain_gray(probe(file.getvalue(), LIMITS)) is None


def test_transparency_and_several_data_chunks_are_left_to_pillow() -> None:
    assert plain_gray(probe(written(noise(28, 28), transparency=0), LIMITS)) is None
    (header, (kind, data), end) = chunks(written(noise(28, 28)))
    parted = joined([header, (kind, data[:100]), (kind, data[100:]), end])
    assert plain_gray(probe(parted, LIMITS)) is None


def test_metadata_do_not_hinder() -> None:
    pixels = noise(28, 28)
    assert plain_gray(probe(written(pixels, dpi=(300, 300)), LIMITS)) is not None


def test_chance_damage_is_left_to_pillow_without_a_word(capfd: pytest.CaptureFixture[str]) -> None:
    whole = written(noise(28, 28))
    for place in range(8, len(whole), 5):
        damaged = bytearray(whole)
        damaged[place] ^= 4
        try:
            container = probe(bytes(damaged), LIMITS)
        except ServiceError:
            continue
        assert plain_gray(container) is None
    assert capfd.readouterr() == ("", "")


def test_damage_under_checksums_that_hold_is_never_read_otherwise_than_by_pillow() -> None:
    header, (kind, data), end = chunks(written(noise(20, 30), compress_level=6))
    rng = np.random.default_rng(1)
    read = 0
    for number in range(400):
        damaged = bytearray(data)
        damaged[int(rng.integers(len(data)))] ^= 1 << int(rng.integers(8))
        cut = damaged[: int(rng.integers(len(data)))] if number % 4 == 0 else damaged
        file = joined([header, (kind, bytes(cut)), end])
        found, expected = plain_gray(probe(file, LIMITS)), by_pillow(file)
        if found is not None:
            read += 1
            assert expected is not None
            np.testing.assert_array_equal(found, expected)
    assert read < 400


def test_a_header_of_another_size_is_never_read_otherwise_than_by_pillow() -> None:
    (_, header), data, end = chunks(written(noise(20, 30)))
    for width, height in [(20, 29), (20, 31), (19, 30), (21, 30), (10, 60), (20, 1)]:
        file = joined([(b"IHDR", struct.pack(">II", width, height) + header[8:]), data, end])
        found, expected = plain_gray(probe(file, LIMITS)), by_pillow(file)
        assert found is None or (expected is not None and np.array_equal(found, expected))
