"""The tensors of the protocol: which there are, and their elements out of JSON or bytes."""

import base64
import binascii
from array import array
from collections.abc import Mapping, Sequence
from itertools import chain
from math import prod
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from app.errors import InvalidParameter, MalformedRequest
from app.lenet.calibration import DIGITS

INPUT: Final = "images"
DTYPES: Final[Mapping[str, npt.DTypeLike]] = {"UINT8": np.uint8, "FP32": "<f4"}
PICTURES: Final = "BYTES"
FORMS: Final[Mapping[str, Sequence[tuple[int, ...]]]] = {
    "UINT8": ((28, 28), (32, 32)),
    "FP32": ((1, 32, 32),),
    PICTURES: ((),),
}
"""What the input may be: datatype -> shapes of one row."""
FORMS_IN_WORDS: Final = "UINT8 [n,28,28] or [n,32,32], FP32 [n,1,32,32], or BYTES [n]"

OUTPUTS: Final[Mapping[str, tuple[str, tuple[int, ...]]]] = {
    "digit": ("INT64", ()),
    "probabilities": ("FP32", (DIGITS,)),
}
"""Name -> datatype, shape of one row."""

AT_ONCE: Final = 16_384
"""Numbers of a list that become an array in one step, some 0.2 ms, in which no other thread runs."""


def from_bytes(data: memoryview, datatype: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    """A tensor of numbers out of its bytes, without a copy. Raises InvalidParameter for another number of bytes."""
    dtype = np.dtype(DTYPES[datatype])
    if (size := prod(shape) * dtype.itemsize) != len(data):
        raise InvalidParameter(
            f"The input {INPUT!r} has {len(data)} bytes; {datatype} of the shape {list(shape)} has {size}."
        )
    return np.frombuffer(data, dtype).reshape(shape)


def from_list(data: Sequence[Any], datatype: str, shape: Sequence[int]) -> npt.NDArray[Any]:
    """A tensor of numbers out of JSON: a list, flat or nested. Raises InvalidParameter for what does not fill it."""
    tensor = np.empty(prod(shape), DTYPES[datatype])
    code, numbers = ("B", "whole numbers of 0 to 255") if datatype == "UINT8" else ("f", "numbers")
    step = max(min(AT_ONCE, AT_ONCE * len(data) // max(tensor.size, 1)), 1)
    filled = 0
    for start in range(0, len(data), step):
        try:
            # Not np.array: it gives every element of a list the bytes of the longest text in it.
            part = np.asarray(array(code, _flat(data[start : start + step])))
        except (TypeError, OverflowError):
            raise InvalidParameter(f"The data of {INPUT!r}, {datatype}, has something else than {numbers}.") from None
        filled += part.size
        if filled <= tensor.size:
            tensor[filled - part.size : filled] = part
    if filled != tensor.size:
        raise InvalidParameter(
            f"The data of {INPUT!r} has {filled} elements; the shape {list(shape)} has {tensor.size}."
        )
    return tensor.reshape(shape)


def _flat(data: Sequence[Any]) -> Sequence[Any]:
    """The elements of nested lists. Raises InvalidParameter where lists beside each other differ in length."""
    while data and isinstance(data[0], list):
        if len(set(map(len, data))) > 1:
            raise InvalidParameter(f"The data of {INPUT!r} is neither flat nor evenly nested.")
        data = list(chain.from_iterable(data))
    return data


def pictures_from_bytes(data: memoryview, rows: int) -> list[bytes]:
    """Encoded pictures, each after its length in 4 bytes, little-endian. Raises MalformedRequest when cut off."""
    pictures: list[bytes] = []
    end = 0
    while len(pictures) < rows and end + 4 <= len(data):
        start = end + 4
        end = start + int.from_bytes(data[end:start], "little")
        pictures.append(bytes(data[start:end]))
    if len(pictures) < rows or end != len(data):
        raise MalformedRequest(
            f"The {len(data)} bytes of the input {INPUT!r} are not {rows} pictures, each after its length in 4 bytes."
        )
    return pictures


def pictures_from_list(data: Sequence[Any], rows: int) -> list[bytes]:
    """Encoded pictures out of JSON, in base64. Raises InvalidParameter."""
    if len(data) != rows:
        raise InvalidParameter(f"The data of {INPUT!r} has {len(data)} elements; the shape {[rows]} has {rows}.")
    try:
        return [base64.b64decode(text, validate=True) for text in data]
    except (binascii.Error, TypeError, ValueError):
        raise InvalidParameter(
            f"The data of {INPUT!r} is no base64, which encoded pictures are in JSON; or send them in binary."
        ) from None
