"""`/read` and `/read/batch` of a real service on a real socket, with the field model that comes with it."""

import json
import os
import subprocess
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from lenet5_client.schemas import BatchReadResponse, ErrorBody, ReadResponse
from PIL import Image
from running import Running, command, until

from app.lenet.registry import default_model_dir
from app.serving.pacing import LONGEST

ZIP = Path(__file__).parents[2] / "examples" / "zip.png"
TEXT = "85615"
US = {"kind": "postal_code", "country": "US"}
PNG = {"Content-Type": "image/png"}
LATE = "600"
"""Seconds that never pass in a test."""


@pytest.fixture(scope="module")
def shipped(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """The options of a service with the default models that come with it."""
    folder = tmp_path_factory.mktemp("shipped")
    for name in ("lenet5", "lenet5-field"):
        (folder / name).symlink_to(default_model_dir() / name)
    return ["--model-dir", str(folder)]


@pytest.fixture(scope="module")
def service(shipped: list[str], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """A service that takes bodies of up to 100,000 bytes, and three pictures a batch."""
    log = tmp_path_factory.mktemp("log") / "log"
    options = [*shipped, "--max-body-bytes", "100000", "--max-batch-pictures", "3", "--max-side", "2000"]
    with (
        log.open("w") as out,
        subprocess.Popen(
            command(*options), env={**os.environ}, stdout=out, stderr=subprocess.PIPE, text=True
        ) as process,
    ):
        try:
            yield Running(process, log)
        finally:
            process.terminate()


@pytest.fixture
def client(service: Running) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=service.url, timeout=60) as connected:
        yield connected


def wide(width: int) -> bytes:
    """Blank paper of that width."""
    out = BytesIO()
    Image.new("L", (width, 10), 255).save(out, "PNG")
    return out.getvalue()


def code(response: httpx.Response) -> tuple[int, str]:
    """A refusal's status and code, once its body is known to have the one shape."""
    return response.status_code, ErrorBody.model_validate_json(response.content).error.code


def reading(response: httpx.Response) -> ReadResponse:
    assert response.status_code == 200, response.text
    return ReadResponse.model_validate_json(response.content)


def test_a_field_is_read_however_it_is_sent(client):
    """As the raw body with its type or without, as a form's file, in pieces, as a batch of one: the same answer."""
    data = ZIP.read_bytes()
    answers = [
        reading(client.post("/read", params=US, content=data, headers=PNG)),
        reading(client.post("/read", params=US, content=data)),
        reading(client.post("/read", params=US, files={"file": ("zip.png", data, "image/png")})),
        reading(client.post("/read", params=US, content=iter([data[:100], data[100:]]), headers=PNG)),
    ]
    batch = client.post("/read/batch", params=US, files=[("files", data)])
    answers += BatchReadResponse.model_validate_json(batch.content).results
    assert {answer.text for answer in answers} == {TEXT}
    assert all(answer.confidence == pytest.approx(answers[0].confidence, abs=1e-5) for answer in answers)
    assert [one.char for one in answers[0].characters] == list(TEXT)


def test_a_request_has_its_id_and_its_times(client):
    """X-Request-ID comes back with an answer and with a refusal; where none was given one is made."""
    mine = {"X-Request-ID": "sorter-17"}
    read = client.post("/read", params=US, content=ZIP.read_bytes(), headers=mine)
    refused = client.post("/read", content=b"no picture", headers=mine)
    made = client.post("/read", content=b"no picture")
    assert read.headers["x-request-id"] == refused.headers["x-request-id"] == "sorter-17"
    assert made.headers["x-request-id"] not in ("", "sorter-17")
    assert [part.split(";")[0] for part in read.headers["server-timing"].split(", ")] == ["decode", "queue", "infer"]


def test_a_batch_has_options_and_allowed_strings(client):
    """Each picture goes by its own options, all by the list of strings; a bad picture spoils only its own place."""
    data = ZIP.read_bytes()
    response = client.post(
        "/read/batch?n_best=2",
        files=[
            ("files", data),
            ("files", b"no picture"),
            ("files", data),
            ("allowed", ("zips.txt", b"85615\n85616\n856\n")),
        ],
        data={"options": json.dumps([{**US, "expected": "85616"}, None, {"length": 3, "threshold": 0}])},
    )
    first, bad, third = BatchReadResponse.model_validate_json(response.content).results
    assert (first.text, first.field.country, first.expected.text) == (TEXT, "US", "85616")
    assert {one.text for one in first.alternatives} <= {"85615", "85616"}
    assert bad.error.code == "invalid_image"
    assert (third.text, third.accepted) == ("856", False)
    assert "length_mismatch" in third.reasons


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        ("/read?model=lenet5", {"content": b"x"}, (404, "unknown_model")),
        ("/read?kind=postal_code&country=GB", {"content": ZIP.read_bytes()}, (422, "country_not_supported")),
        ("/read?check=aba&length=8", {"content": ZIP.read_bytes()}, (422, "invalid_parameter")),
        ("/read?length=x", {"content": ZIP.read_bytes()}, (422, "invalid_parameter")),
        ("/read", {"content": b"no picture"}, (422, "invalid_image")),
        ("/read", {"content": b""}, (422, "invalid_image")),
        ("/read", {"content": wide(2001)}, (413, "image_too_large")),
        ("/read", {"content": bytes(100_001)}, (413, "body_too_large")),
        ("/read", {"content": b"x", "headers": {"Content-Type": "text/plain"}}, (415, "unsupported_media_type")),
        ("/read", {"files": {"picture": b"x"}}, (400, "malformed_request")),
        ("/read", {"content": b"x", "headers": {"X-Request-Timeout": "soon"}}, (422, "invalid_parameter")),
        ("/read/batch", {"files": {"picture": b"x"}}, (400, "malformed_request")),
        ("/read/batch", {"files": [("files", b"x")] * 4}, (413, "too_many_images")),
        ("/read/batch", {"files": [("files", b"x")], "data": {"options": "[{}, {}]"}}, (422, "invalid_parameter")),
    ],
)
def test_what_is_wrong_has_its_code_and_costs_the_connection_nothing(client, path, sent, expected):
    """Each refusal has its documented code, and the same client is served after it."""
    assert code(client.post(path, **sent)) == expected
    assert reading(client.post("/read", params=US, content=ZIP.read_bytes())).text == TEXT


def test_read_is_posted(client):
    """Another method is 405 and says which there is."""
    response = client.get("/read")
    assert code(response) == (405, "method_not_allowed")
    assert response.headers["allow"] == "POST"


def test_many_callers_each_get_their_own_answer(client, service):
    """Twelve callers at once, each with other options, are answered each by them, and are counted."""
    data = ZIP.read_bytes()

    def ask(number: int) -> ReadResponse:
        length = {"length": 5} if number % 2 else US
        return reading(httpx.post(service.url + "/read", params={**length, "n_best": number}, content=data, timeout=60))

    before = counted(service)
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(ask, range(1, 13)))
    assert {answer.text for answer in answers} == {TEXT}
    assert [answer.field.kind for answer in answers] == ["digits", "postal_code"] * 6
    assert all(len(answer.alternatives) <= number for number, answer in enumerate(answers, 1))
    assert counted(service) == before + 12


def counted(service: Running) -> float:
    """Readings that were answered."""
    for line in service.metrics().splitlines():
        if line.startswith('lenet5_requests_total{endpoint="/read",status="200"}'):
            return float(line.split()[-1])
    return 0


def field_depth(service: Running) -> float:
    """Candidates of fields that wait for a forward pass."""
    for line in service.metrics().splitlines():
        if line.startswith('lenet5_queue_depth{model="lenet5-field"}'):
            return float(line.split()[-1])
    return 0


def test_a_busy_service_refuses_and_keeps_deadlines(serve: Callable[..., Running], shipped):
    """While a field waits a full queue is 429 for another, and for a whole batch; its caller's deadline is a 504.

    A caller who goes away is counted as 499, and after all of them nothing waits.
    """
    busy = serve(*shipped, "--max-batch-delay", LATE, "--max-batch-size", "1000", "--queue-pictures", "2")
    data = ZIP.read_bytes()
    late = httpx.post(busy.url + "/read", content=data, headers={"X-Request-Timeout": "0.2"}, timeout=60)
    assert code(late) == (504, "deadline_exceeded")
    with busy.connect() as connection:
        connection.sendall(b"POST /read HTTP/1.1\r\nHost: a\r\nContent-Length: %d\r\n\r\n" % len(data) + data)
        until(lambda: field_depth(busy))
        many = httpx.post(busy.url + "/read/batch", files=[("files", data)] * 2, timeout=60)
        assert code(many) == (429, "queue_full")
        assert 1 <= int(many.headers["retry-after"]) <= LONGEST
        one = httpx.post(busy.url + "/read", content=data, headers={"X-Request-Timeout": "0.2"}, timeout=60)
        assert code(one) == (504, "deadline_exceeded")  # there is room for one more
    until(lambda: 'lenet5_requests_total{endpoint="/read",status="499"} 1.0' in busy.metrics())
    assert 'lenet5_batch_size_sum{model="lenet5-field"} 0.0' in busy.metrics()


def test_sigterm_answers_the_field_that_was_accepted(serve: Callable[..., Running], shipped):
    """A field that waits for the network when SIGTERM comes is read to its end, and the exit code is 0."""
    running = serve(*shipped, "--max-batch-delay", "3", "--max-batch-size", "1000")
    sent = {"params": US, "content": ZIP.read_bytes(), "timeout": 60}
    with ThreadPoolExecutor(1) as pool:
        field = pool.submit(httpx.post, running.url + "/read", **sent)
        until(lambda: field_depth(running))
        assert running.stop() == 0
        assert field.result().json()["text"] == TEXT
    assert running.refuses()
