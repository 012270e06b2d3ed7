"""What surrounds every request: ids, errors of the router, health, metrics, models, documentation."""

import asyncio

import pytest
import structlog
from lenet5_client.schemas import ErrorBody, ModelList

from tests.api.test_predict import code


async def test_a_request_id_is_echoed_or_made(serving):
    """A caller's printable id of at most 128 characters comes back; otherwise each answer has one of its own."""
    async with serving() as client:

        async def echoed(given: str | bytes) -> str:
            return (await client.get("/health/live", headers={"X-Request-ID": given})).headers["x-request-id"]

        assert await echoed("abc 123") == "abc 123"
        assert await echoed("x" * 128) == "x" * 128
        assert await echoed("x" * 129) != "x" * 129
        assert await echoed(b"\xff\xfe") != "\xff\xfe"
        made = [(await client.get(path)).headers["x-request-id"] for path in ("/health/live", "/nowhere", "/predict")]
    assert len(set(made)) == 3


async def test_the_routers_own_errors_have_the_one_shape(serving):
    """An unknown path is 404 not_found, a wrong method is 405 method_not_allowed with what is allowed."""
    async with serving() as client:
        assert code(await client.get("/nowhere")) == (404, "not_found")
        wrong = await client.get("/predict")
    assert code(wrong) == (405, "method_not_allowed")
    assert wrong.headers["allow"] == "POST"


async def test_a_path_with_a_slash_too_many_is_not_redirected(serving):
    """/predict/ is unknown: a redirect would name a host that the caller's own header chose."""
    async with serving() as client:
        assert code(await client.post("/predict/", content=b"x")) == (404, "not_found")


async def test_health_answers_head(serving):
    """Load balancers that probe with HEAD see the status."""
    async with serving() as client:
        assert (await client.head("/health/live")).status_code == 200
        client.service.lifecycle.drain()
        assert (await client.head("/health/ready")).status_code == 503


async def test_the_callers_trace_is_in_the_log(serving):
    """A W3C traceparent's trace id, and the request id, stand in the request's log line; a malformed one doesn't."""
    trace = "0af7651916cd43dd8448eb211c80319c"
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        async with serving(access_log=True) as client:
            headers = {"traceparent": f"00-{trace}-b7ad6b7169203331-01", "X-Request-ID": "mine"}
            await client.get("/health/live", headers=headers)
            await asyncio.create_task(client.get("/health/live", headers={"traceparent": "00-zz"}))
    requests = [line for line in lines if line["event"] == "request"]
    assert (requests[0]["trace_id"], requests[0]["request_id"]) == (trace, "mine")


@pytest.mark.parametrize(
    "malformed",
    ["00-" + "0" * 32 + "-b7ad6b7169203331-01", f"00-{'a' * 32}-{'0' * 16}-01", f"ff-{'a' * 32}-{'b' * 16}-01"],
)
async def test_a_traceparent_that_w3c_forbids_is_no_trace(serving, malformed):
    """A trace or a span id of zeros alone, and the version ff, are as if nothing had come."""
    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as lines:
        async with serving(access_log=True) as client:
            await asyncio.create_task(client.get("/health/live", headers={"traceparent": malformed}))
    assert ["trace_id" in line for line in lines if line["event"] == "request"] == [False]


async def test_a_request_is_one_line_at_most_and_a_sample_when_asked(serving, digits, monkeypatch):
    """Of a sampled access log some requests have a line; a fault of ours always has its one, with its error."""
    with structlog.testing.capture_logs() as lines:
        async with serving(access_log=True, access_log_sample=0.5) as client:
            for _ in range(64):
                await client.get("/health/live")
            monkeypatch.setattr(type(client.service.engine), "classify", lambda *args, **kwargs: 1 / 0)
            for _ in range(8):
                await client.post("/predict", content=digits[0])
    assert 8 < len([line for line in lines if line.get("path") == "/health/live"]) < 56  # but once in 10^9
    faults = [line for line in lines if line.get("path") == "/predict"]
    assert [(line["event"], line["status"], line["code"]) for line in faults] == [
        ("request failed", 500, "internal_error")
    ] * 8
    assert all(isinstance(line["exc_info"], ZeroDivisionError) for line in faults)


async def test_a_fault_of_ours_is_one_500_and_tells_nothing_private(serving, digits, monkeypatch):
    """An exception that nobody expected is answered in the one shape, with an id, and without its text."""
    async with serving() as client:
        monkeypatch.setattr(type(client.service.engine), "classify", lambda *args, **kwargs: 1 / 0)
        response = await client.post("/predict", content=digits[0])
    assert code(response) == (500, "internal_error")
    assert "zero" not in response.text
    assert response.headers["x-request-id"]


async def test_ready_until_draining(serving):
    """/health/ready is 200 when warm and 503 once draining, while /health/live stays 200."""
    async with serving() as client:
        assert (await client.get("/health/ready")).json() == {"status": "ready"}
        client.service.lifecycle.drain()
        assert code(await client.get("/health/ready")) == (503, "not_ready")
        assert (await client.get("/health/live")).json() == {"status": "live"}


async def test_draining_serves_on_and_refusing_does_not(serving, digits):
    """While draining a picture is still answered; once nothing new is taken it is 503 draining, and counted."""
    async with serving() as client:
        client.service.lifecycle.drain()
        assert (await client.post("/predict", content=digits[0])).is_success
        client.service.lifecycle.refuse()
        assert code(await client.post("/predict", content=digits[0])) == (503, "draining")
        assert 'lenet5_rejected_total{reason="draining"} 1.0' in (await client.get("/metrics")).text


async def test_what_is_left_when_time_is_up_gets_503(serving, digits):
    """A request that still waits when the drain is over is told so, in the one shape."""
    async with serving(max_batch_delay=30) as client:
        waiting = asyncio.create_task(client.post("/predict", content=digits[0]))
        while not client.service.engine.digit_model(None).batcher.depth:  # noqa: ASYNC110 - there is no event for it
            await asyncio.sleep(0.01)
        client.service.lifecycle.abort()
        assert code(await waiting) == (503, "draining")


async def test_the_models_are_listed(serving):
    """/models names every served version, its digest, its form of input and its figures."""
    async with serving() as client:
        models = ModelList.model_validate_json((await client.get("/models")).content).models
    assert [(m.name, m.version, m.task, m.default) for m in models] == [("lenet5", "1", "digit", True)]
    assert len(models[0].sha256) == 64
    assert models[0].metrics == {"test_error": 0.9}
    assert models[0].thresholds == {}


async def test_the_metrics_count_what_was_answered(serving, digits):
    """Requests are counted by route template and status, and refusals by reason, under the contract's names."""
    async with serving(max_body_bytes=1000) as client:
        for _ in range(3):
            await client.post("/predict", content=digits[0])
        await client.post("/predict", content=b"x" * 2000)
        await client.get("/nowhere")
        text = (await client.get("/metrics")).text
    for line in (
        'lenet5_requests_total{endpoint="/predict",status="200"} 3.0',
        'lenet5_requests_total{endpoint="/predict",status="413"} 1.0',
        'lenet5_requests_total{endpoint="unmatched",status="404"} 1.0',
        'lenet5_request_duration_seconds_count{endpoint="/predict"} 4.0',
        'lenet5_batch_size_sum{model="lenet5"} 3.0',
        'lenet5_inference_duration_seconds_count{model="lenet5"} 3.0',
        'lenet5_queue_depth{model="lenet5"} 0.0',
        'lenet5_rejected_total{reason="too_large"} 1.0',
        'lenet5_rejected_total{reason="queue_full"} 0.0',
        "lenet5_models_left_out 0.0",
    ):
        assert line in text.splitlines()


async def test_the_documentation_loads_nothing_from_elsewhere(serving):
    """/docs and everything it names come from the service itself."""
    async with serving() as client:
        page = (await client.get("/docs")).text
        assert "//" not in page.replace("</", "").replace("// ", "")
        assert (await client.get("/static-offline-docs/swagger-ui-bundle.js")).is_success


async def test_the_openapi_document_says_what_the_routes_take_and_answer(serving):
    """Every picture type, the form, the answers and the errors stand in the document."""
    async with serving() as client:
        document = (await client.get("/openapi.json")).json()
    predict = document["paths"]["/predict"]["post"]
    assert {"image/png", "multipart/form-data", "application/octet-stream"} <= set(predict["requestBody"]["content"])
    assert predict["responses"]["200"]["content"]["application/json"]["schema"]["$ref"].endswith("/Prediction")
    assert {"400", "413", "415", "422", "429", "503", "504"} <= set(predict["responses"])
    names = {parameter["name"] for parameter in predict["parameters"]}
    assert names == {"model", "threshold", "target_error", "X-Request-Timeout"}


@pytest.mark.parametrize("path", ["/predict", "/predict/batch"])
async def test_errors_of_every_route_fit_the_schema(serving, path):
    """A body that is no picture is refused by each route in the documented shape."""
    async with serving() as client:
        response = await client.post(path, content=b"", headers={"Content-Type": "text/plain"})
    assert ErrorBody.model_validate_json(response.content).error.message.endswith(".")
