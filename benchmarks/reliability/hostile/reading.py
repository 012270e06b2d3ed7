"""What is done with a hostile picture: what the service does with it, and what a tutorial does."""

import io
from collections.abc import Callable

import numpy as np
from PIL import Image

from app.errors import ServiceError
from app.imaging import DecodeLimits, decode_probed, normalize, probe
from app.serving.field_answer import proposal_of

LIMITS = DecodeLimits()
FIELD_EVERY = 50  # pictures; the candidates of a field take as long as so many digits

Read = Callable[[bytes, int], bool]
"""A picture and its number; whether it could be read. Raises whatever would be answered 500."""


def ours(data: bytes, case: int) -> bool:
    """The way of `/predict`, and for some that of `/read`, up to the network. What is refused is answered 4xx."""
    try:
        normalize(decode_probed(probe(data, LIMITS)))
        if case % FIELD_EVERY == 0:
            proposal_of(data, LIMITS)
    except ServiceError as error:
        if error.status >= 500:
            raise
        return False
    return True


def naive(data: bytes, _case: int) -> bool:
    """Pillow's defaults, and the errors that its documentation names for `Image.open`."""
    try:
        np.asarray(Image.open(io.BytesIO(data)).convert("L").resize((28, 28)), np.float32)
    except (OSError, ValueError):  # UnidentifiedImageError is an OSError
        return False
    return True


READERS: dict[str, Read] = {"ours": ours, "naive": naive}
