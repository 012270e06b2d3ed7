"""The clients that the Open Inference Protocol is for, from PyPI, against a real service on a real socket.

They have an environment of their own (clients.txt), and the service another: LENET5_TEST_PYTHON is its interpreter.

    LENET5_TEST_PYTHON=.venv/bin/python clients/bin/python -m pytest --noconftest tests/server/test_v2_clients.py
"""

import gzip
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import numpy as np
import pytest
from running import Running, command

triton = pytest.importorskip("tritonclient.http", reason="tritonclient is not installed")
kserve = pytest.importorskip("kserve", reason="kserve is not installed")

from kserve.inference_client import RESTConfig  # noqa: E402 - as it may not be there
from tritonclient.http.aio import InferenceServerClient as AsyncTritonClient  # noqa: E402
from tritonclient.utils import InferenceServerException  # noqa: E402

ROOT = Path(__file__).parents[2]
MNIST = ROOT / "training" / "data" / "mnist"
SEVEN = (ROOT / "examples" / "7.png").read_bytes()


@pytest.fixture(scope="module")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service with the default models that come with it."""
    folder = tmp_path_factory.mktemp("models")
    for name in ("lenet5", "lenet5-field"):
        (folder / name).symlink_to(ROOT / "model_weights" / name)
    log = tmp_path_factory.mktemp("log") / "log"
    python = os.environ.get("LENET5_TEST_PYTHON", sys.executable)
    with (
        log.open("w") as out,
        subprocess.Popen(
            [python, *command("--model-dir", str(folder))[1:]], cwd=ROOT, stdout=out, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            process.terminate()


@pytest.fixture
def client(service: Running) -> Iterator[triton.InferenceServerClient]:
    client = triton.InferenceServerClient(f"127.0.0.1:{service.port}", network_timeout=60)
    yield client
    client.close()


@pytest.fixture
async def kserve_client() -> kserve.InferenceRESTClient:
    async with kserve.InferenceRESTClient(RESTConfig(protocol="v2", timeout=60)) as client:
        yield client


@pytest.fixture(scope="module")
def digits() -> np.ndarray:
    """MNIST's test digits, uint8 (10000, 28, 28)."""
    packed = (MNIST / "t10k-images-idx3-ubyte.gz").read_bytes()
    return np.frombuffer(gzip.decompress(packed), np.uint8, offset=16).reshape(-1, 28, 28)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    return np.frombuffer(gzip.decompress((MNIST / "t10k-labels-idx1-ubyte.gz").read_bytes()), np.uint8, offset=8)


def given(tensor: np.ndarray, datatype: str = "UINT8", *, name: str = "images", binary: bool = True):
    """An input as Triton's client has it."""
    return triton.InferInput(name, tensor.shape, datatype).set_data_from_numpy(tensor, binary_data=binary)


def ink(digits: np.ndarray) -> np.ndarray:
    """The network's own input."""
    return np.pad(digits / np.float32(255), ((0, 0), (2, 2), (2, 2)))[:, None].astype(np.float32)


def test_triton_health_and_metadata(client):
    """Triton's client finds server and models live, ready and described, and others not."""
    assert client.is_server_live()
    assert client.is_server_ready()
    assert client.is_model_ready("lenet5")
    assert client.is_model_ready("lenet5", "1")
    assert not client.is_model_ready("lenet5", "99")
    assert not client.is_model_ready("lenet5-field")
    assert client.get_server_metadata()["extensions"] == ["binary_tensor_data"]
    assert client.get_model_metadata("lenet5")["inputs"][0]["name"] == "images"


def test_triton_ten_thousand_digits_in_one_request(client, digits, labels):
    """MNIST's test set in one binary request is read as well as its model card says."""
    found = client.infer("lenet5", [given(digits)])
    assert np.mean(found.as_numpy("digit") != labels) < 0.01
    probabilities = found.as_numpy("probabilities")
    assert (probabilities.shape, probabilities.dtype) == ((10_000, 10), np.float32)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)


def test_triton_every_form(client, digits, labels):
    """UINT8, FP32 and BYTES, in JSON and in binary, in and out, are answered alike."""
    few = digits[:5]
    forms = [
        given(few),
        given(few, binary=False),
        given(np.pad(few, ((0, 0), (2, 2), (2, 2)))),
        given(ink(few), "FP32"),
        given(ink(few), "FP32", binary=False),
    ]
    for outputs in (
        None,
        [triton.InferRequestedOutput(name, binary_data=False) for name in ("digit", "probabilities")],
    ):
        for form in forms:
            found = client.infer("lenet5", [form], outputs=outputs)
            assert found.as_numpy("digit").tolist() == labels[:5].tolist()
            assert found.as_numpy("probabilities").argmax(axis=1).tolist() == labels[:5].tolist()
    pictures = np.array([SEVEN, SEVEN], np.object_)
    assert client.infer("lenet5", [given(pictures, "BYTES")]).as_numpy("digit").tolist() == [7, 7]
    assert client.infer("lenet5", [given(few[:0])]).as_numpy("probabilities").shape == (0, 10)


def test_triton_ids_versions_outputs_and_parameters(client, digits):
    """The id comes back, the version is that which was asked for, only what was asked for; parameters are taken."""
    found = client.infer(
        "lenet5",
        [given(digits[:2])],
        model_version="1",
        outputs=[triton.InferRequestedOutput("probabilities", binary_data=True)],
        request_id="mine",
        priority=2,
        timeout=1_000_000,
        parameters={"own": "value"},
    )
    response = found.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("mine", "lenet5", "1")
    assert [output["name"] for output in response["outputs"]] == ["probabilities"]
    assert found.as_numpy("probabilities").shape == (2, 10)


def test_triton_can_print_what_is_wrong(client, digits):
    """Each refusal is an exception with the status, the code and a sentence."""
    nan = ink(digits[:2])
    nan[1, 0, 0, 0] = np.nan
    digit = triton.InferRequestedOutput
    for status, said, inputs, more in (
        ("422", "invalid_parameter: There is no input 'mask'", [given(digits[:1]), given(digits[:1], name="mask")], {}),
        (
            "422",
            "invalid_parameter: The input 'images' is UINT8 of the shape [1, 784]",
            [given(digits[:1].reshape(1, 784))],
            {},
        ),
        ("422", "invalid_parameter: The input 'images' is FP64", [given(digits[:1] / 255.0, "FP64")], {}),
        ("422", "invalid_parameter: The output 'x' is not there", [given(digits[:1])], {"outputs": [digit("x")]}),
        (
            "422",
            "invalid_parameter: The output 'digit'",
            [given(digits[:1])],
            {"outputs": [digit("digit", class_count=3)]},
        ),
        ("422", "invalid_image: The picture 1 has values from nan", [given(nan, "FP32")], {}),
        ("422", "invalid_image: The picture 1", [given(np.array([SEVEN, b"cat"], np.object_), "BYTES")], {}),
        ("413", "too_many_images", [given(np.zeros((16_385, 28, 28), np.uint8))], {}),
        ("415", "unsupported_media_type", [given(digits[:1])], {"request_compression_algorithm": "gzip"}),
        ("504", "deadline_exceeded", [given(digits)], {"timeout": 1000}),
        ("404", "unknown_model", [given(digits[:1])], {"model_version": "99"}),
    ):
        with pytest.raises(InferenceServerException) as caught:
            client.infer("lenet5", inputs, **more)
        assert (caught.value.status(), caught.value.message()[: len(said)]) == (status, said)
    assert client.infer("lenet5", [given(digits[:1])]).as_numpy("digit").tolist() == [7]


async def test_triton_asynchronous(service, digits, labels):
    """Its asyncio client is answered too."""
    async with AsyncTritonClient(f"127.0.0.1:{service.port}") as client:
        assert await client.is_server_ready()
        found = await client.infer("lenet5", [given(digits[:50])])
    assert found.as_numpy("digit").tolist() == labels[:50].tolist()


def kserve_input(tensor: np.ndarray, datatype: str = "UINT8", *, name: str = "images", binary: bool = True):
    tensor_input = kserve.InferInput(name, list(tensor.shape), datatype)
    tensor_input.set_data_from_numpy(tensor, binary_data=binary)
    return tensor_input


async def test_kserve_health(service, kserve_client):
    """KServe's client finds server and models live and ready, and others not."""
    assert await kserve_client.is_server_live(service.url)
    assert await kserve_client.is_server_ready(service.url)
    assert await kserve_client.is_model_ready(service.url, "lenet5")
    assert not await kserve_client.is_model_ready(service.url, "lenet5-field")


async def test_kserve_every_form(service, kserve_client, digits, labels):
    """UINT8, FP32 and BYTES, in JSON and in binary, in and out, are answered alike, with the request's id."""
    few = digits[:5]
    for tensor in (
        kserve_input(few),
        kserve_input(few, binary=False),
        kserve_input(ink(few), "FP32"),
        kserve_input(ink(few), "FP32", binary=False),
    ):
        for parameters in (None, {"binary_data_output": True}):
            asked = kserve.InferRequest("lenet5", [tensor], request_id="mine", parameters=parameters)
            found = await kserve_client.infer(service.url, asked, model_name="lenet5")
            assert found.id == "mine"
            assert [output.name for output in found.outputs] == ["digit", "probabilities"]
            assert found.outputs[0].as_numpy().tolist() == labels[:5].tolist()
            assert found.outputs[1].as_numpy().argmax(axis=1).tolist() == labels[:5].tolist()
    pictures = kserve_input(np.array([SEVEN], np.object_), "BYTES")
    found = await kserve_client.infer(service.url, kserve.InferRequest("lenet5", [pictures]), model_name="lenet5")
    assert found.outputs[0].data == [7]


async def test_kserve_can_print_what_is_wrong(service, kserve_client, digits):
    """A refusal is an exception with the code and a sentence."""
    two = [kserve_input(digits[:1]), kserve_input(digits[:1], name="mask")]
    with pytest.raises(httpx.HTTPStatusError, match="invalid_parameter: There is no input 'mask'"):
        await kserve_client.infer(service.url, kserve.InferRequest("lenet5", two), model_name="lenet5")


@pytest.mark.parametrize("number", [0, 1])
def test_the_documentations_programs_run(service, number):
    """Each program in docs/inference_protocol.md prints what stands beside its last line."""
    page = (ROOT / "docs" / "inference_protocol.md").read_text()
    program = re.findall(r"```python\n(.*?)```", page, re.DOTALL)[number]
    here = program.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}")
    done = subprocess.run([sys.executable, "-c", here], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout.strip() == program.rstrip().rpartition("  # ")[2]


def test_the_documentations_command_runs(service):
    """The command in docs/inference_protocol.md reads a 7."""
    page = (ROOT / "docs" / "inference_protocol.md").read_text()
    (command,) = re.findall(r"```sh\n(.*?)```", page, re.DOTALL)
    here = command.replace("127.0.0.1:8000", f"127.0.0.1:{service.port}")
    done = subprocess.run(["bash", "-c", here], cwd=ROOT, check=True, capture_output=True, text=True)
    assert '"data":[7]' in done.stdout
