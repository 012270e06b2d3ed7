"""`/v2` through HTTP, in process: the Open Inference Protocol and its binary tensor extension."""

import asyncio
import base64
import json
import threading

import numpy as np
import pytest

from app.errors import InferenceFailed
from app.imaging import from_mnist_form
from app.lenet.registry import default_model_dir
from app.runtime.onnx import OnnxBackend
from tests.api.inference import INFER, LENGTH, encoded, images, outputs, pixels, refusal, send, send_binary


async def test_what_answers_says_what_it_is(serving):
    """The server, its health and its models are described by the protocol's keys and the contract's tensors."""
    async with serving() as client:
        server = (await client.get("/v2")).json()
        assert (await client.get("/v2/")).json() == server
        assert set(server) == {"name", "version", "extensions"}
        assert server["extensions"] == ["binary_tensor_data"]
        assert (await client.get("/v2/health/live")).json() == {"live": True}
        assert (await client.get("/v2/health/ready")).json() == {"ready": True}
        for path in ("/v2/models/lenet5", "/v2/models/lenet5/versions/1"):
            assert (await client.get(path)).json() == {
                "name": "lenet5",
                "versions": ["1"],
                "platform": "onnx",
                "inputs": [{"name": "images", "datatype": "UINT8", "shape": [-1, 28, 28]}],
                "outputs": [
                    {"name": "digit", "datatype": "INT64", "shape": [-1]},
                    {"name": "probabilities", "datatype": "FP32", "shape": [-1, 10]},
                ],
            }
            assert (await client.get(path + "/ready")).json() == {"name": "lenet5", "ready": True}


async def test_a_draining_service_is_live_and_not_ready(serving):
    """Once draining, the server and its models are not ready, in the protocol's shape; probes by HEAD see it too."""
    async with serving() as client:
        client.service.lifecycle.drain()
        for path in ("/v2/health/ready", "/v2/models/lenet5/ready"):
            assert refusal(await client.get(path))[:2] == (503, "not_ready")
        assert (await client.head("/v2/health/ready")).status_code == 503
        client.service.lifecycle.refuse()
        assert (await client.get("/v2/health/live")).status_code == 200
        assert refusal(await client.get("/v2/health/ready"))[:2] == (503, "not_ready")
        assert refusal(await send(client, images([0, 28, 28], data=[])))[:2] == (503, "draining")


@pytest.mark.parametrize("path", ["/v2/models/none", "/v2/models/lenet5/versions/7", "/v2/models/lenet5-field"])
async def test_only_models_of_digits_are_there(serving, model_dir, tmp_path, path):
    """An unknown name or version, and a model that reads fields, are 404, whatever is asked of them."""
    for folder in (model_dir / "lenet5", default_model_dir() / "lenet5-field"):
        (tmp_path / folder.name).symlink_to(folder)
    async with serving(model_dir=tmp_path) as client:
        assert refusal(await client.get(path))[:2] == (404, "unknown_model")
        assert refusal(await client.get(path + "/ready"))[:2] == (404, "unknown_model")
        assert refusal(await send(client, images([0, 28, 28], data=[]), path=path + "/infer"))[:2] == (
            404,
            "unknown_model",
        )


async def test_every_form_of_the_same_digits_is_answered_alike(serving, digits):
    """UINT8 of 28 and of 32 pixels, FP32 and BYTES, in JSON (flat or nested) and in binary, agree with /predict."""
    small = pixels(digits)
    large = np.pad(small, ((0, 0), (2, 2), (2, 2)))
    ink = from_mnist_form(small)
    n = len(small)
    async with serving() as client:
        answers = [
            await send(client, images([n, 28, 28], data=small.reshape(-1).tolist())),
            await send(client, images([n, 28, 28], data=small.tolist())),
            await send(client, images([n, 28, 28], data=small.reshape(n, 784).tolist())),
            await send(client, images([n, 32, 32], data=large.tolist())),
            await send(client, images([n, 1, 32, 32], "FP32", data=ink.tolist())),
            await send(client, images([n], "BYTES", data=[base64.b64encode(d).decode() for d in digits[:n]])),
            await send(client, images([n, 28, 28], data=small.tolist()), path="/v2/models/lenet5/versions/1/infer"),
            await send_binary(client, small, [n, 28, 28]),
            await send_binary(client, large, [n, 32, 32]),
            await send_binary(client, ink, [n, 1, 32, 32], "FP32"),
            await send_binary(client, encoded(digits[:n]), [n], "BYTES"),
        ]
        singles = [(await client.post("/predict", content=digit)).json() for digit in digits[:n]]
    for answer in map(outputs, answers):
        assert answer["digit"].tolist() == [single["digit"] for single in singles]
        assert np.allclose(answer["probabilities"], [single["probabilities"] for single in singles], atol=1e-5)
        assert (answer["digit"].dtype, answer["probabilities"].dtype) == (np.int64, np.float32)


async def test_a_tensor_of_many_blocks_keeps_its_order(serving, digits):
    """1,000 digits, more than a forward pass takes, come back each in its place."""
    few = pixels(digits, 64)
    chosen = np.random.default_rng(0).integers(0, len(few), 1000)
    async with serving(max_batch_size=16) as client:
        one = outputs(await send_binary(client, few, [64, 28, 28]))
        many = outputs(await send_binary(client, few[chosen], [1000, 28, 28]))
        metrics = (await client.get("/metrics")).text
    assert np.allclose(many["probabilities"], one["probabilities"][chosen], atol=1e-5)
    assert 'lenet5_batch_size_sum{model="lenet5"} 1064.0' in metrics
    assert 'lenet5_requests_total{endpoint="/v2/models/{name}/infer",status="200"} 2.0' in metrics


async def test_a_large_tensor_lets_others_go_between_its_blocks(serving, digits):
    """A single picture and a small tensor that come while 4,000 digits are under way are answered long before them."""
    few = pixels(digits, 40)
    passes: list[int] = []
    async with serving(max_batch_size=16) as client:
        model = client.service.engine.digit_model(None)
        infer, begun, loop = model.backend.infer, asyncio.Event(), asyncio.get_running_loop()

        def watched(inputs: np.ndarray) -> np.ndarray:
            passes.append(len(inputs))
            loop.call_soon_threadsafe(begun.set)
            return infer(inputs)

        model.backend.infer = watched
        large = asyncio.create_task(send_binary(client, np.tile(few, (100, 1, 1)), [4000, 28, 28]))
        await begun.wait()
        await client.post("/predict", content=digits[0])
        await send_binary(client, few[:8], [8, 28, 28])
        assert sum(passes) < 2000
        assert not large.done()
        assert outputs(await large)["digit"].shape == (4000,)
    assert max(passes) <= 16


async def test_a_single_picture_goes_before_the_tensors_that_wait(serving, digits, monkeypatch):
    """Of twenty tensors that wait, the pass with a single picture that came last has no more than a quarter."""
    monkeypatch.setattr(OnnxBackend, "inline", 0)  # so that a pass can be held
    few = pixels(digits, 4)
    passes: list[int] = []
    go = threading.Event()
    async with serving(max_batch_size=16) as client:
        model = client.service.engine.digit_model(None)
        infer, begun, loop = model.backend.infer, asyncio.Event(), asyncio.get_running_loop()

        def held(inputs: np.ndarray) -> np.ndarray:
            passes.append(len(inputs))
            loop.call_soon_threadsafe(begun.set)
            assert go.wait(10)
            return infer(inputs)

        model.backend.infer = held
        first = asyncio.create_task(client.post("/predict", content=digits[0]))
        await begun.wait()
        tensors = [asyncio.create_task(send_binary(client, few, [4, 28, 28])) for _ in range(20)]
        single = asyncio.create_task(client.post("/predict", content=digits[1]))
        for _ in range(1000):
            await asyncio.sleep(0)
        go.set()
        for answer in await asyncio.gather(first, *tensors, single):
            assert answer.status_code == 200
    assert passes[:2] == [1, 5]


async def test_tensors_of_one_picture_share_passes(serving, digits):
    """Twenty requests at once, each a tensor of one, are fewer than twenty forward passes."""
    tensors = pixels(digits, 20)
    async with serving() as client:
        await asyncio.gather(*(send_binary(client, tensor, [1, 28, 28]) for tensor in tensors))
        metrics = (await client.get("/metrics")).text
    passes = float(metrics.partition('lenet5_batch_size_count{model="lenet5"} ')[2].partition("\n")[0])
    assert passes < 20


async def test_outputs_are_those_that_were_asked_for(serving, digits):
    """Outputs come in the order asked, each in binary or not as it says, or as the request says for all; and the id."""
    data = images([3, 28, 28], data=pixels(digits).tolist())
    both = [{"name": "probabilities", "parameters": {"binary_data": True}}, {"name": "digit"}]
    async with serving() as client:
        plain = await send(client, data)
        mixed = await send(client, data, id="42", outputs=both)
        binary = await send(client, data, parameters={"binary_data_output": True}, outputs=[{"name": "digit"}])
        overridden = await send(
            client,
            data,
            parameters={"binary_data_output": True, "priority": 3, "timeout": 60_000_000, "anything": "else"},
            outputs=[{"name": "digit", "parameters": {"binary_data": False}}],
        )
    assert plain.headers["content-type"] == "application/json"
    assert set(plain.json()) == {"model_name", "model_version", "outputs"}
    assert (plain.json()["model_name"], plain.json()["model_version"]) == ("lenet5", "1")
    assert list(outputs(plain)) == ["digit", "probabilities"]
    assert list(outputs(mixed)) == ["probabilities", "digit"]
    assert mixed.headers["content-type"] == "application/octet-stream"
    head = json.loads(mixed.content[: int(mixed.headers[LENGTH])])
    assert head["id"] == "42"
    assert ["data" in output for output in head["outputs"]] == [False, True]
    assert binary.content.endswith(outputs(plain)["digit"].tobytes())
    assert overridden.json()["outputs"][0]["data"] == outputs(plain)["digit"].tolist()


async def test_an_empty_tensor_has_empty_outputs(serving):
    """No pictures are no digits, in every form."""
    async with serving() as client:
        answers = [
            await send(client, images([0, 28, 28], data=[])),
            await send(client, images([0], "BYTES", data=[])),
            await send(client, images([0, 28, 28], data=None, parameters={"binary_data_size": 0})),
            await send_binary(client, b"", [0, 1, 32, 32], "FP32", parameters={"binary_data_output": True}),
        ]
    for answer in map(outputs, answers):
        assert (answer["digit"].shape, answer["probabilities"].shape) == ((0,), (0, 10))


async def test_a_tensor_counts_as_one_picture(serving, digits):
    """While a tensor of 200 waits, one more picture is all that a queue of two takes."""
    held: list[int] = []
    async with serving(queue_pictures=2) as client:
        model = client.service.engine.digit_model(None)
        infer = model.backend.infer

        def watched(inputs: np.ndarray) -> np.ndarray:
            held.append(client.service.engine.admission.pictures)
            return infer(inputs)

        model.backend.infer = watched
        outputs(await send_binary(client, np.repeat(pixels(digits, 1), 200, axis=0), [200, 28, 28]))
    assert set(held) == {1}


async def test_a_failing_pass_and_a_caller_that_leaves_harm_no_neighbour(serving, digits):
    """A tensor whose pass fails, one with NaN and one whose caller goes away leave the tensors beside them answered."""
    tensor = pixels(digits, 64)
    bad = from_mnist_form(tensor)
    bad[-1] = np.nan
    async with serving(max_batch_size=8) as client:
        model = client.service.engine.digit_model(None)
        infer, failed = model.backend.infer, False

        def once(inputs: np.ndarray) -> np.ndarray:
            nonlocal failed
            if not failed:
                failed = True
                raise InferenceFailed("as the test wants it")
            return infer(inputs)

        model.backend.infer = once
        assert refusal(await send_binary(client, tensor, [64, 28, 28]))[:2] == (500, "inference_failed")
        alone = outputs(await send_binary(client, tensor, [64, 28, 28]))
        leaver = asyncio.create_task(send_binary(client, tensor, [64, 28, 28]))
        beside = [
            asyncio.create_task(send_binary(client, bad, [64, 1, 32, 32], "FP32")),
            asyncio.create_task(send_binary(client, tensor, [64, 28, 28])),
            asyncio.create_task(client.post("/predict", content=digits[0])),
        ]
        await asyncio.sleep(0)
        leaver.cancel()
        spoilt, whole, single = await asyncio.gather(*beside)
        assert client.service.engine.admission.pictures == 0
    assert refusal(spoilt)[:2] == (422, "invalid_image")
    assert np.allclose(outputs(whole)["probabilities"], alone["probabilities"], atol=1e-5)
    assert single.json()["digit"] == alone["digit"][0]


async def test_a_tensor_whose_caller_hangs_up_is_left_where_it_is(serving, digits):
    """After the connection closes under 4,000 digits few more of them are run, and nothing is held for them."""
    passes: list[int] = []
    async with serving(max_batch_size=16) as client:
        model = client.service.engine.digit_model(None)
        infer, begun, loop = model.backend.infer, asyncio.Event(), asyncio.get_running_loop()

        def watched(inputs: np.ndarray) -> np.ndarray:
            passes.append(len(inputs))
            loop.call_soon_threadsafe(begun.set)
            return infer(inputs)

        model.backend.infer = watched
        head = json.dumps({"inputs": [images([4000, 28, 28], parameters={"binary_data_size": 4000 * 784})]}).encode()
        coming = [{"type": "http.request", "body": head + bytes(4000 * 784)}]

        async def receive() -> dict:
            if coming:
                return coming.pop()
            await begun.wait()
            return {"type": "http.disconnect"}

        async def send(message: dict) -> None:
            raise AssertionError("nobody is there to be answered")

        scope = {"type": "http", "method": "POST", "path": INFER, "query_string": b""}
        await client._transport.app(
            {**scope, "headers": [(LENGTH.lower().encode(), str(len(head)).encode())]}, receive, send
        )
        metrics = (await client.get("/metrics")).text
        assert client.service.engine.admission.pictures == 0
    assert sum(passes) < 2000
    assert 'lenet5_requests_total{endpoint="/v2/models/{name}/infer",status="499"} 1.0' in metrics


async def test_the_description_names_what_an_inference_takes(serving):
    """The OpenAPI document has every path of the protocol, with the request's schema and both of its types."""
    async with serving() as client:
        paths = (await client.get("/openapi.json")).json()["paths"]
    model = "/v2/models/{name}"
    expected = {"/v2", "/v2/health/live", "/v2/health/ready"} | {
        prefix + rest for prefix in (model, model + "/versions/{version}") for rest in ("", "/ready", "/infer")
    }
    assert {path for path in paths if path.startswith("/v2")} == expected
    infer = paths[model + "/versions/{version}/infer"]["post"]
    assert {p["name"] for p in infer["parameters"]} == {"name", "version", LENGTH, "X-Request-Timeout"}
    content = infer["requestBody"]["content"]
    assert content["application/json"]["schema"]["$ref"].endswith("/InferenceRequest")
    assert "application/octet-stream" in content
    assert infer["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Failure")
