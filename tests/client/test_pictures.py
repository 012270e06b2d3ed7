"""Whatever a caller holds a picture in becomes the picture file that it would be."""

import io
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from lenet5_client import Client
from lenet5_client.errors import UnreadablePicture
from lenet5_client.many import BATCH_BYTES, DIGITS, batches
from lenet5_client.pictures import encoded
from PIL import Image

GRAY = np.random.default_rng(0).integers(0, 256, (5, 4), np.uint8)


def decoded(data: bytes) -> np.ndarray:
    """The pixels of a picture file."""
    return np.asarray(Image.open(io.BytesIO(data)))


@pytest.mark.parametrize(
    "pixels",
    [
        GRAY,
        GRAY[::-1, ::2],
        GRAY.T,
        np.asfortranarray(GRAY),
        np.stack([GRAY] * 2, -1),
        np.stack([GRAY, GRAY // 2, GRAY // 3], -1),
        np.stack([GRAY, GRAY // 2, GRAY // 3, GRAY], -1)[:, ::-1],
        GRAY.astype(np.uint16) * 257,
        (GRAY.astype(np.uint16) * 257).astype(">u2"),
    ],
    ids=lambda pixels: f"{pixels.dtype.str}{pixels.shape}",
)
def test_an_array_is_a_png_of_its_pixels(pixels: np.ndarray) -> None:
    """In whatever order they lie in memory, gray or in colour, of 8 or 16 bits."""
    assert (decoded(encoded(pixels)) == pixels).all()
    assert (decoded(encoded(memoryview(np.ascontiguousarray(pixels)))) == pixels).all()


def test_truth_values_are_black_and_white() -> None:
    """What is true is white, and one channel is gray."""
    assert (decoded(encoded(GRAY > 99)) == np.where(GRAY > 99, 255, 0)).all()
    assert (decoded(encoded(GRAY[..., None])) == GRAY).all()


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (GRAY / 255, "only you know"),
        (GRAY.astype(np.int64), "uint8, uint16 or bool"),
        (GRAY.astype(np.int8), "uint8, uint16 or bool"),
        (GRAY.astype(object), "uint8, uint16 or bool"),
        (np.zeros((3, 28, 28), np.uint8), "height, width"),
        (np.zeros((2, 3, 28, 28), np.uint8), "height, width"),
        (np.zeros((0, 28), np.uint8), "height, width"),
        (np.float32(1), "height, width"),
        (io.StringIO("text"), "in binary"),
        (io.BytesIO(), "seek"),
        ("nowhere.png", "nowhere.png"),
        (Path(__file__).parent, "directory"),
        ("a\0b", "null"),
        (Image.new("F", (8, 8)), "floats"),
        (Image.new("La", (8, 8)), "conversion"),
        (7, "int"),
        (None, "NoneType"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_what_is_no_picture_says_why(wrong: object, said: str) -> None:
    """Other shapes, types and modes, and files that are not there, are UnreadablePicture with a sentence."""
    with pytest.raises(UnreadablePicture, match=said) as raised:
        encoded(wrong)
    assert type(wrong).__name__ in raised.value.message
    assert raised.value.message.endswith(".")


@pytest.mark.parametrize(
    "mode",
    ["1", "L", "LA", "I", "I;16", "I;16B", "I;16L", "P", "PA", "RGB", "RGBA", "RGBa", "RGBX", "CMYK", "YCbCr", "HSV"],
)
def test_an_image_of_any_mode_keeps_its_look(mode: str) -> None:
    """As gray it is what Pillow makes of it, but for what a palette or other colours round off."""
    image = Image.fromarray(np.repeat(np.arange(0, 256, 5, np.uint8)[None], 9, axis=0))
    if mode.startswith("I"):
        held = Image.fromarray(np.asarray(image).astype(np.int32) * 257).convert(mode)
        expected = np.asarray(image).astype(int) * 257
        assert (decoded(encoded(held)) == expected).all()
        return
    held = image.convert("RGBA").convert(mode) if mode in ("PA", "RGBa") else image.convert(mode)
    seen = Image.open(io.BytesIO(encoded(held)))
    expected = np.asarray(held.convert("L")).astype(int)
    assert np.abs(np.asarray(seen.convert("L")).astype(int) - expected).max() <= 2


def test_an_image_is_turned_as_its_exif_says() -> None:
    """A PNG made of it would lie on its side."""
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by 90 degrees clockwise
    out = io.BytesIO()
    Image.fromarray(GRAY).save(out, "PNG", exif=exif)
    turned = Image.open(out)
    assert (decoded(encoded(turned)) == np.rot90(GRAY, -1)).all()
    assert turned.size == (4, 5)


def test_a_file_is_read_from_where_it_stands() -> None:
    """Once: what is sent again after a fault is what was read."""
    file = io.BytesIO(b"beforepicture")
    file.seek(6)
    assert encoded(file) == b"picture"
    assert encoded(np.frombuffer(b"picture", np.uint8)) == b"picture"


@pytest.mark.parametrize("single", ["7.png", Path("7.png"), b"7", bytearray(b"7"), io.BytesIO(b"7\n7"), GRAY])
def test_a_single_picture_is_no_list(single: object) -> None:
    """It would be taken for a list of characters, of lines or of rows."""
    with Client() as client, pytest.raises(TypeError, match="single"):
        client.predict_many(single)


def test_batches_are_made_as_they_are_asked_for() -> None:
    """A generator is read no further than the batch that is due, and bytes end a batch as numbers do."""
    read = []

    def pictures() -> Iterator[bytes]:
        for place in range(5 * DIGITS):
            read.append(place)
            yield b"x" * (BATCH_BYTES // 3 if place < 4 else 1)

    made = batches(pictures(), most=DIGITS)
    assert [len(next(made)), len(read)] == [3, 4]
    assert [len(next(made)), len(read)] == [DIGITS, 3 + DIGITS + 1]
    assert sum(len(batch) for batch in made) == 4 * DIGITS - 3


def test_an_array_of_pictures_is_a_list_of_them() -> None:
    """Its first axis counts them."""
    (batch,) = batches(np.stack([GRAY, GRAY // 2]), most=DIGITS)
    assert (decoded(batch[0].picture) == GRAY).all()
    assert len(batch) == 2
