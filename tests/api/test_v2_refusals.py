"""What `/v2` refuses, and that it says why in the protocol's shape."""

import io
import json
import tracemalloc
from typing import Any

import numpy as np
import pytest
from PIL import Image

from app.api.v2.tensors import from_list
from app.errors import InvalidParameter
from app.imaging import from_mnist_form
from tests.api.inference import INFER, LENGTH, encoded, fail_once, images, outputs, pixels, refusal, send, send_binary

EMPTY = images([0, 28, 28], data=[])


def one(**more: Any) -> dict[str, Any]:
    """A request with one picture of 28 pixels."""
    return {"inputs": [images([1, 28, 28], **more)]}


WRONG = {
    "no inputs": ({"inputs": []}, "0 times"),
    "nothing": ({}, "inputs"),
    "no object": ([], "request"),
    "input without a name": ({"inputs": [{}]}, "inputs.0.name"),
    "another input": ({"inputs": [EMPTY, {**EMPTY, "name": "mask"}]}, "no input 'mask'"),
    "the same input twice": ({"inputs": [EMPTY, EMPTY]}, "2 times"),
    "a thousand inputs": ({"inputs": [EMPTY] * 1000}, "inputs"),
    "id that is no string": ({"id": 5, "inputs": [EMPTY]}, "id"),
    "shape": ({"inputs": [images([1, 29, 28], data=[])]}, "[1, 29, 28]"),
    "no shape": ({"inputs": [images([], "BYTES", data=[])]}, "[]"),
    "shape below zero": ({"inputs": [images([-1, 28, 28], data=[])]}, "shape"),
    "flat shape": ({"inputs": [images([784], data=[0] * 784)]}, "[784]"),
    "datatype": ({"inputs": [images([1, 28, 28], "FP64", data=[0])]}, "FP64"),
    "shape of another datatype": ({"inputs": [images([1, 28, 28], "FP32", data=[])]}, "FP32 [n,1,32,32]"),
    "no data": (one(), "no data"),
    "data that is no list": (one(data=5), "no data"),
    "too little data": (one(data=[0] * 783), "783 elements"),
    "too much data": (one(data=[0] * 785), "785 elements"),
    "data for no rows": ({"inputs": [images([0, 28, 28], data=[0] * 785)]}, "785 elements"),
    "ragged": (one(data=[[1, 2], [3]]), "evenly"),
    "ragged, of the right number": (one(data=[[0] * 783, [0]]), "evenly"),
    "a list among numbers": (one(data=[0] * 783 + [[0]]), "whole numbers"),
    "a number among lists": (one(data=[[0] * 783, 0]), "whole numbers"),
    "objects": (one(data=[{"0": 0}] * 784), "whole numbers"),
    "text": (one(data=["7"] * 784), "whole numbers"),
    "null": (one(data=[None] * 784), "whole numbers"),
    "fraction": (one(data=[0.5] * 784), "whole numbers"),
    "over 255": (one(data=[256] * 784), "whole numbers of 0 to 255"),
    "under 0": (one(data=[-1] * 784), "whole numbers of 0 to 255"),
    "huge": (one(data=[2**70] * 784), "whole numbers of 0 to 255"),
    "no base64": ({"inputs": [images([1], "BYTES", data=["*"])]}, "base64"),
    "base64 of no string": ({"inputs": [images([1], "BYTES", data=[5])]}, "base64"),
    "base64 of another number": ({"inputs": [images([2], "BYTES", data=["AAAA"])]}, "1 elements"),
    "data and size": ({"inputs": [{**EMPTY, "parameters": {"binary_data_size": 0}}]}, "both"),
    "size below zero": (one(parameters={"binary_data_size": -1}), "binary_data_size"),
    "timeout below zero": ({"inputs": [EMPTY], "parameters": {"timeout": -1}}, "parameters.timeout"),
    "timeout that is no number": ({"inputs": [EMPTY], "parameters": {"timeout": "soon"}}, "parameters.timeout"),
    "shared memory": (one(parameters={"shared_memory_region": "a"}), "shared memory"),
    "another output": ({"inputs": [EMPTY], "outputs": [{"name": "x"}]}, "digit and probabilities"),
    "an output twice": ({"inputs": [EMPTY], "outputs": [{"name": "digit"}] * 2}, "twice"),
    "classification": (
        {"inputs": [EMPTY], "outputs": [{"name": "digit", "parameters": {"classification": 3}}]},
        "classification",
    ),
}


async def test_what_is_wrong_is_said(serving):
    """Each fault of a request in JSON is 422 invalid_parameter, with a message that names what is wrong."""
    async with serving() as client:
        for name, (body, said) in WRONG.items():
            *found, message = refusal(await client.post(INFER, json=body))
            assert found == [422, "invalid_parameter"], f"{name}: {message}"
            assert said in message, name


def test_a_long_text_among_numbers_is_refused_in_little_memory():
    """A text in a list of 16,384 numbers is not held as often as there are numbers."""
    data = ["7" * 1000, *[0] * 16_383]
    for datatype in ("UINT8", "FP32"):
        tracemalloc.start()
        with pytest.raises(InvalidParameter, match="numbers"):
            from_list(data, datatype, [16, 1, 32, 32])
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert most < 1_000_000


async def test_numbers_beyond_float32_are_no_ink(serving):
    """1e39 in JSON, which no float32 holds, is 422 as infinity is."""
    data = [1e39, *[0] * 1023]
    async with serving() as client:
        assert refusal(await send(client, images([1, 1, 32, 32], "FP32", data=data)))[:2] == (422, "invalid_image")


async def test_what_is_no_json(serving):
    """A body that cannot be parsed, and a tensor that is said to follow and does not, are 400."""
    async with serving() as client:
        for body in (b"", b"{", b"\xff", b'{"inputs": NaN}'):
            assert refusal(await client.post(INFER, content=body))[:2] == (400, "malformed_request")
        unsent = refusal(await client.post(INFER, json=one(parameters={"binary_data_size": 784})))
    assert unsent[:2] == (400, "malformed_request")
    assert LENGTH in unsent[2]


async def test_binary_data_that_is_not_what_it_says(serving, digits):
    """Cut off or too long data, a wrong size, and a header length that lies are refused, with what does not agree."""
    tensor = pixels(digits, 2).tobytes()
    two = encoded(digits[:2])
    async with serving() as client:
        for data, shape, datatype, more, *expected in (
            (tensor[:-1], [2, 28, 28], "UINT8", {"size": 1568}, 400, "malformed_request", "1567 bytes"),
            (tensor + b"0", [2, 28, 28], "UINT8", {"size": 1568}, 400, "malformed_request", "1569 bytes"),
            (tensor[:-1], [2, 28, 28], "UINT8", {}, 422, "invalid_parameter", "has 1568"),
            (tensor, [1, 28, 28], "UINT8", {}, 422, "invalid_parameter", "has 784"),
            (tensor, [2, 28, 28], "UINT8", {"length": "x"}, 422, "invalid_parameter", LENGTH),
            (tensor, [2, 28, 28], "UINT8", {"length": "-1"}, 422, "invalid_parameter", LENGTH),
            (tensor, [2, 28, 28], "UINT8", {"length": "9" * 5000}, 422, "invalid_parameter", LENGTH),
            (tensor, [2, 28, 28], "UINT8", {"length": "100000"}, 422, "invalid_parameter", LENGTH),
            (tensor, [2, 28, 28], "UINT8", {"length": "5"}, 400, "malformed_request", "JSON"),
            (tensor, [2, 28, 28], "UINT8", {"length": "0"}, 400, "malformed_request", "JSON"),
            (two[:-1], [2], "BYTES", {}, 400, "malformed_request", "2 pictures"),
            (two + b"0", [2], "BYTES", {}, 400, "malformed_request", "2 pictures"),
            (two, [1], "BYTES", {}, 400, "malformed_request", "1 pictures"),
            (two, [3], "BYTES", {}, 400, "malformed_request", "3 pictures"),
            (b"\xff\xff\xff\xff", [1], "BYTES", {}, 400, "malformed_request", "1 pictures"),
        ):
            *found, message = refusal(await send_binary(client, data, shape, datatype, **more))
            assert [*found, expected[-1] in message] == [*expected[:-1], True], message
        unsaid = await client.post(INFER, content=json.dumps({"inputs": [EMPTY]}).encode() + b"00")
        assert refusal(unsaid)[:2] == (400, "malformed_request")
        head = json.dumps({"inputs": [EMPTY]}).encode()
        more = await client.post(INFER, content=head + b"00", headers={LENGTH: str(len(head))})
        assert "2 bytes" in refusal(more)[2]


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, -0.5, 255.0, 3e38])
async def test_values_that_are_no_ink_are_refused_with_their_place(serving, digits, value):
    """A value of FP32 that is not 0 to 1 is 422 and names the picture, wherever in a large tensor it is."""
    ink = np.repeat(from_mnist_form(pixels(digits, 1)), 200, axis=0)
    ink[150, 0, 7, 7] = value
    async with serving(max_batch_size=16) as client:
        response = await send_binary(client, ink, [200, 1, 32, 32], "FP32")
        assert refusal(response)[:2] == (422, "invalid_image")
        assert "picture 150" in refusal(response)[2]
        ink[150, 0, 7, 7] = 1.0001
        assert outputs(await send_binary(client, ink, [200, 1, 32, 32], "FP32"))["digit"].shape == (200,)


async def test_a_picture_that_cannot_be_read_is_named(serving, digits):
    """One bad picture of a BYTES tensor refuses the request, with the code /predict gives, and its place."""
    async with serving() as client:
        response = await send_binary(client, encoded([*digits[:2], b"no picture", digits[3]]), [4], "BYTES")
        broken = await send_binary(client, encoded([digits[0], digits[1][:60]]), [2], "BYTES")
    status, code, message = refusal(response)
    assert (status, code) == (422, "invalid_image")
    assert "picture 2" in message
    assert refusal(broken)[:2] == (422, "invalid_image")


async def test_limits(serving, digits):
    """More rows than a tensor may have, a body over its limit, and pictures too large together are 413."""
    async with serving() as client:
        many = await send_binary(client, b"", [16_385, 28, 28])
        assert refusal(many)[:2] == (413, "too_many_images")
        assert "16384" in refusal(many)[2]
        full = outputs(await send_binary(client, bytes(16_384 * 784), [16_384, 28, 28]))
        assert full["digit"].shape == (16_384,)
        nested = b'{"inputs": [' + b"[" * 1_100_000
        assert refusal(await client.post(INFER, content=nested))[:2] == (413, "body_too_large")
        assert 'lenet5_rejected_total{reason="too_large"} 2.0' in (await client.get("/metrics")).text
    async with serving(max_batch_body_bytes=1000, max_tensor_rows=1) as client:
        assert refusal(await send_binary(client, bytes(784), [2, 28, 28]))[:2] == (413, "too_many_images")
        assert refusal(await client.post(INFER, content=bytes(1001)))[:2] == (413, "body_too_large")
    async with serving(max_pixels=10, max_side=10_000) as client:
        blank = io.BytesIO()
        Image.new("L", (2, 5)).save(blank, "PNG")
        pictures = [blank.getvalue()] * 257
        assert refusal(await send_binary(client, encoded(pictures), [257], "BYTES"))[:2] == (413, "image_too_large")
        assert len(outputs(await send_binary(client, encoded(pictures[1:]), [256], "BYTES"))["digit"]) == 256


async def test_types_of_a_body(serving):
    """JSON, octets, what curl says by itself, and none are taken; a picture's type and a compressed body are 415."""
    body = json.dumps({"inputs": [EMPTY]}).encode()
    async with serving() as client:
        for kind in (
            "application/json; charset=utf-8",
            "application/octet-stream",
            "application/x-www-form-urlencoded",
        ):
            outputs(await client.post(INFER, content=body, headers={"Content-Type": kind}))
        outputs(await client.post(INFER, content=body))
        for headers in ({"Content-Type": "image/png"}, {"Content-Encoding": "gzip"}):
            refused = await client.post(INFER, content=body, headers=headers)
            assert refusal(refused)[:2] == (415, "unsupported_media_type")


async def test_errors_of_the_surroundings_have_the_protocols_shape(serving, monkeypatch):
    """An unknown path, a wrong method, a passed deadline, a full queue and a fault of ours are one string under /v2."""
    body = images([1, 28, 28], data=[0] * 784)
    async with serving(queue_pictures=1) as client:
        assert refusal(await client.get("/v2/nowhere"))[:2] == (404, "not_found")
        assert refusal(await client.get(INFER))[:2] == (405, "method_not_allowed")
        late = await client.post(INFER, json={"inputs": [body]}, headers={"X-Request-Timeout": "1e-9"})
        assert refusal(late)[:2] == (504, "deadline_exceeded")
        late = await client.post(INFER, json={"inputs": [body], "parameters": {"timeout": 1}})
        assert refusal(late)[:2] == (504, "deadline_exceeded")
        outputs(await client.post(INFER, json={"inputs": [body], "parameters": {"timeout": 0}}))
        wrong = await client.post(INFER, json={"inputs": [body]}, headers={"X-Request-Timeout": "soon"})
        assert refusal(wrong)[:2] == (422, "invalid_parameter")
        with client.service.engine.admission.admit(client.service.engine.digit_model(None)) as ticket:
            ticket.reserve(pictures=1)
            full = await send(client, body)
        assert refusal(full)[:2] == (429, "queue_full")
        assert full.headers["retry-after"] == "1"
        model = client.service.engine.digit_model(None)
        fail_once(model.backend)
        assert refusal(await send(client, body))[:2] == (500, "inference_failed")
        assert (await client.get("/nowhere")).json()["error"]["code"] == "not_found"
