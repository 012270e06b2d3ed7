"""An inference request out of its body: JSON, and the input's bytes after it where it is sent in binary."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import numpy.typing as npt
import orjson
from pydantic import ValidationError

from app.api.errors import invalid_parameter
from app.api.v2.schemas import InferenceRequest, InputParameters, OutputParameters, RequestInput, RequestParameters
from app.api.v2.tensors import (
    FORMS,
    FORMS_IN_WORDS,
    INPUT,
    OUTPUTS,
    PICTURES,
    from_bytes,
    from_list,
    pictures_from_bytes,
    pictures_from_list,
)
from app.errors import BodyTooLarge, InvalidParameter, MalformedRequest, TooManyImages

HEADER_LENGTH: Final = "Inference-Header-Content-Length"
UNSUPPORTED: Final = frozenset({"classification", "shared_memory_region"})
"""Parameters of an output, of Triton's extensions, that would change its form or place."""
OPENED, OPENED_PER_ROW = 1_000, 64
"""Lists, objects and ends of strings that the JSON may have: those of a nested tensor and some. Each is some 64 bytes
of memory, 30 times its size in the body."""


@dataclass(frozen=True)
class Asked:
    """What an inference request asks."""

    id: str | None
    images: npt.NDArray[Any] | list[bytes]  # numbers as `serving.tensors.probabilities` takes them; encoded pictures
    outputs: Mapping[str, bool]  # name -> whether it is wanted in binary; in order
    timeout: float | None  # seconds that the caller waits from now on


def read(body: bytearray, header_length: str | None, max_rows: int) -> Asked:
    """What `body` asks; `header_length` is the value of HEADER_LENGTH.

    Raises MalformedRequest, BodyTooLarge, TooManyImages and InvalidParameter, all with what to mend.
    """
    json_bytes = _json_bytes(body, header_length)
    if sum(body.count(opening, 0, json_bytes) for opening in b'[{"') > OPENED + OPENED_PER_ROW * max_rows:
        raise BodyTooLarge("The JSON has more lists, objects and strings than a tensor needs; send it in binary.")
    try:
        parsed = orjson.loads(memoryview(body)[:json_bytes])
    except orjson.JSONDecodeError as error:
        raise MalformedRequest(f"The request's JSON cannot be parsed: {error}.") from None
    try:
        sent = InferenceRequest.model_validate(parsed)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False)[0]
        raise invalid_parameter(found, ".".join(map(str, found["loc"])) or "request") from None
    parameters = sent.parameters or RequestParameters()
    return Asked(
        sent.id,
        _images(sent, memoryview(body)[json_bytes:], max_rows),
        _outputs(sent, binary=bool(parameters.binary_data_output)),
        parameters.timeout / 1e6 if parameters.timeout else None,  # as in Triton 0 is none
    )


def _json_bytes(body: bytearray, header_length: str | None) -> int:
    """How much of the body is JSON; raises InvalidParameter."""
    if header_length is None:
        return len(body)
    if not (header_length.isdecimal() and len(header_length) <= 20 and int(header_length) <= len(body)):
        raise InvalidParameter(
            f"The header {HEADER_LENGTH} is {header_length[:20]!r}, not the number of bytes of JSON at the beginning "
            f"of the {len(body)} of the body."
        )
    return int(header_length)


def _images(sent: InferenceRequest, rest: memoryview, max_rows: int) -> npt.NDArray[Any] | list[bytes]:
    """The one input's rows. `rest` are the bytes after the JSON."""
    for tensor in sent.inputs:
        if tensor.name != INPUT:
            raise InvalidParameter(f"There is no input {tensor.name[:100]!r}; the model takes one, {INPUT!r}.")
    if len(sent.inputs) != 1:
        raise InvalidParameter(f"The input {INPUT!r} is there {len(sent.inputs)} times, not once.")
    tensor = sent.inputs[0]
    rows, *row = tensor.shape or [0]
    if tensor.datatype not in FORMS or not tensor.shape or tuple(row) not in FORMS[tensor.datatype]:
        raise InvalidParameter(
            f"The input {INPUT!r} is {tensor.datatype[:20]} of the shape {tensor.shape[:10]}; it may be "
            f"{FORMS_IN_WORDS}."
        )
    if rows > max_rows:
        raise TooManyImages(
            f"The input {INPUT!r} has {rows} rows; at most {max_rows} are taken.", limit=max_rows, actual=rows
        )
    if _is_binary(tensor, len(rest)):
        if tensor.datatype == PICTURES:
            return pictures_from_bytes(rest, rows)
        return from_bytes(rest, tensor.datatype, tensor.shape)
    if tensor.datatype == PICTURES:
        return pictures_from_list(tensor.data, rows)
    return from_list(tensor.data, tensor.datatype, tensor.shape)


def _is_binary(tensor: RequestInput, rest: int) -> bool:
    """Whether the input's data is the `rest` bytes after the JSON, and not in it. Raises where that is not clear."""
    parameters = tensor.parameters or InputParameters()
    size = parameters.binary_data_size
    if "shared_memory_region" in (parameters.model_extra or {}):
        raise InvalidParameter(f"The input {INPUT!r} is in shared memory, which is not supported; send its data.")
    if size is None:
        if rest:
            raise MalformedRequest(f"After the JSON are {rest} bytes, but the input {INPUT!r} has no binary_data_size.")
        if not isinstance(tensor.data, list):
            raise InvalidParameter(f"The input {INPUT!r} has no data: neither a list, nor a binary_data_size.")
        return False
    if tensor.data is not None:
        raise InvalidParameter(f"The input {INPUT!r} has both data and a binary_data_size.")
    if size != rest:
        raise MalformedRequest(
            f"The binary_data_size of the input {INPUT!r} is {size}, but {rest} bytes are after the JSON, whose length "
            f"is in the header {HEADER_LENGTH}."
        )
    return True


def _outputs(sent: InferenceRequest, *, binary: bool) -> dict[str, bool]:
    """The outputs that are wanted, in order; all by default, and in `binary` by default. Raises InvalidParameter."""
    wanted: dict[str, bool] = {}
    for output in sent.outputs:
        if output.name not in OUTPUTS or output.name in wanted:
            problem = "wanted twice" if output.name in wanted else "not there"
            raise InvalidParameter(f"The output {output.name[:100]!r} is {problem}; there is {' and '.join(OUTPUTS)}.")
        parameters = output.parameters or OutputParameters()
        if unsupported := UNSUPPORTED & (parameters.model_extra or {}).keys():
            raise InvalidParameter(f"The output {output.name!r} cannot be had by {min(unsupported)}.")
        wanted[output.name] = binary if parameters.binary_data is None else parameters.binary_data
    return wanted or dict.fromkeys(OUTPUTS, binary)
