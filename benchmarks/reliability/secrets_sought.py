"""Keys and pictures that would be known again wherever they were written down, and requests full of them."""

import base64
import io
from typing import Any

import numpy as np
from PIL import Image, PngImagePlugin

GOOD, WRONG = "SECRETKEYgood0123456789", "SECRETKEYwrong0123456789"
SHADE = 173
"""Of every pixel of the picture: an array that is printed has rows of it."""
MARK = b"SECRET-PIXELS-0123456789"


def marked_picture() -> bytes:
    """A sound PNG whose text and whose pixels would be known again in a log."""
    text = PngImagePlugin.PngInfo()
    text.add_text("Comment", MARK.decode())
    buffer = io.BytesIO()
    Image.fromarray(np.full((40, 40), SHADE, np.uint8)).save(buffer, "PNG", pnginfo=text)
    return buffer.getvalue()


def leaks(log: str) -> list[str]:
    """The traces of keys and pictures in a log."""
    found = [trace for secret in (b"SECRETKEY", MARK) for trace in _traces(secret) if trace in log]
    found += [rows for rows in (f"{SHADE} {SHADE} {SHADE}", f"{SHADE}, {SHADE}, {SHADE}") if rows in log]
    return found + [start for start in ("\\x89PNG", "iVBORw0KGgo") if start in log]  # a PNG, by repr and in base64


def _traces(secret: bytes) -> list[str]:
    """How a secret may look in a log: as it is, in hexadecimal, and in base64 at any place of three bytes."""
    inner = [base64.b64encode(b"x" * shift + secret)[4:-4] for shift in range(3)]
    return [secret.decode(), secret.hex(), *(part.decode() for part in inner)]


def requests(picture: bytes) -> list[tuple[str, dict[str, Any]]]:
    """Path and httpx's arguments of requests good, bad and refused, with every secret in every place.

    The first three have no key that is taken, nor has the fourth, which has it in its query.
    """
    good, wrong = {"Authorization": f"Bearer {GOOD}"}, {"X-API-Key": WRONG}
    encoded = base64.b64encode(picture).decode()
    tensor = {"inputs": [{"name": "images", "shape": [1], "datatype": "BYTES", "data": [encoded]}]}
    form = {"Content-Type": "multipart/form-data; boundary=a"}
    infer = "/v2/models/lenet5/infer"
    return [
        ("/predict", {"content": picture}),
        ("/predict", {"content": picture, "headers": wrong}),
        ("/predict", {"content": picture, "headers": {"Authorization": f"Basic {GOOD}"}}),
        ("/predict", {"content": picture, "params": {"api_key": GOOD}}),
        ("/predict", {"content": picture, "headers": good}),
        ("/predict", {"content": picture, "params": {"threshold": GOOD}, "headers": good}),
        ("/predict", {"content": picture[:-30], "headers": good}),
        ("/predict", {"content": MARK, "headers": good}),
        ("/predict", {"content": MARK, "headers": good | form}),
        ("/predict", {"files": {"file": ("a.png", picture)}, "headers": good}),
        ("/predict", {"content": picture + MARK * 400_000, "headers": good}),  # too large
        ("/predict/batch", {"files": [("files", picture), ("files", MARK)], "headers": good}),
        ("/read", {"content": picture, "headers": good}),
        ("/read", {"content": picture, "params": {"expected": GOOD}, "headers": good}),
        (infer, {"json": tensor, "headers": good}),
        (infer, {"content": picture, "headers": good}),
        (infer, {"json": {"inputs": encoded}, "headers": good}),
    ]
