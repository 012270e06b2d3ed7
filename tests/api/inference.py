"""Requests of the Open Inference Protocol as its clients make them, and what is answered."""

import io
import json
import struct
from typing import Any

import httpx
import numpy as np
from PIL import Image

INFER = "/v2/models/lenet5/infer"
LENGTH = "Inference-Header-Content-Length"


def pixels(digits: list[bytes], n: int = 3) -> np.ndarray:
    """The first digits, uint8 (n, 28, 28)."""
    return np.array([np.asarray(Image.open(io.BytesIO(digit))) for digit in digits[:n]])


def images(shape: list[int], datatype: str = "UINT8", **more: Any) -> dict[str, Any]:
    return {"name": "images", "datatype": datatype, "shape": shape, **more}


async def send(client: httpx.AsyncClient, *inputs: dict[str, Any], path: str = INFER, **more: Any) -> httpx.Response:
    """A request in JSON."""
    return await client.post(path, json={"inputs": inputs, **more})


async def send_binary(
    client: httpx.AsyncClient, tensor: np.ndarray | bytes, shape: list[int], datatype: str = "UINT8", **more: Any
) -> httpx.Response:
    """A request whose input follows the JSON; `length` and `size` are what it says of both, by default the truth."""
    data = tensor if isinstance(tensor, bytes) else tensor.tobytes()
    size = more.pop("size", len(data))
    length = more.pop("length", None)
    head = json.dumps({"inputs": [images(shape, datatype, parameters={"binary_data_size": size})], **more}).encode()
    return await client.post(INFER, content=head + data, headers={LENGTH: length or str(len(head))})


def encoded(pictures: list[bytes]) -> bytes:
    """A BYTES tensor in binary."""
    return b"".join(struct.pack("<I", len(picture)) + picture for picture in pictures)


def outputs(response: httpx.Response) -> dict[str, np.ndarray]:
    """The tensors of an answer, out of JSON or binary."""
    assert response.status_code == 200, response.text
    length = int(response.headers.get(LENGTH, len(response.content)))
    head, rest = json.loads(response.content[:length]), response.content[length:]
    found = {}
    for output in head["outputs"]:
        dtype = {"INT64": "<i8", "FP32": "<f4"}[output["datatype"]]
        if "data" in output:
            values = np.array(output["data"], dtype)
        else:
            size = output["parameters"]["binary_data_size"]
            values, rest = np.frombuffer(rest[:size], dtype), rest[size:]
        found[output["name"]] = values.reshape(output["shape"])
    assert rest == b""
    return found


def refusal(response: httpx.Response) -> tuple[int, str, str]:
    """A refusal's status, code and message, once its body is known to have the protocol's shape."""
    body = response.json()
    assert list(body) == ["error"]
    code, _, message = body["error"].partition(": ")
    assert message.endswith(".")
    return response.status_code, code, message


def fail_once(backend: Any) -> None:
    """Let the next forward pass raise; those after it are as before."""
    infer = backend.infer

    def failing(inputs: np.ndarray) -> np.ndarray:
        backend.infer = infer
        raise ZeroDivisionError

    backend.infer = failing
