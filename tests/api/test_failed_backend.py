"""A device on which forward passes fail: for once, and for good."""

import asyncio
from collections.abc import Callable

import httpx
import numpy as np
import pytest

from app.serving import models

READY = ("/health/ready", "/v2/health/ready", "/v2/models/lenet5/ready")


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A device is given up after 0.3 s."""
    monkeypatch.setattr(models, "PROBE_INTERVAL", 0.05)
    monkeypatch.setattr(models, "PROBE_PATIENCE", 0.3)


def raising(_: np.ndarray) -> np.ndarray:
    raise RuntimeError("CUDA error: an illegal memory access was encountered")


def numberless(inputs: np.ndarray) -> np.ndarray:
    return np.full((len(inputs), 10), np.nan, np.float32)


def endless(inputs: np.ndarray) -> np.ndarray:
    return np.full((len(inputs), 10), np.inf, np.float32)


def refusal(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


FAILURES: list[Callable[[np.ndarray], np.ndarray]] = [raising, numberless, endless]


@pytest.mark.parametrize("failure", FAILURES)
async def test_while_a_device_is_suspect_it_is_not_ready(serving, digits, failure):
    """After a pass that failed ready says 503 and what is missing, until another one succeeds; liveness and waiting
    callers do not mind, and only the pictures of that pass have no answer.
    """
    async with serving() as client:
        backend = client.service.engine.digit_model(None).backend
        infer, backend.infer = backend.infer, failure
        failed = asyncio.create_task(client.post("/predict", content=digits[0]))
        await until(lambda: client.service.lifecycle.suspects)
        waiting = asyncio.create_task(client.post("/predict", content=digits[0]))
        for path in READY:
            assert (await client.get(path)).status_code == 503
        ready = (await client.get("/health/ready")).json()["error"]
        assert ready["code"] == "not_ready"
        assert ready["details"]["missing"] == ["a forward pass of lenet5:1"]
        assert (await client.get("/health/live")).status_code == 200
        backend.infer = infer
        assert refusal(await failed) == (500, "inference_failed")
        assert (await waiting).status_code == 200
        for path in READY:
            assert (await client.get(path)).status_code == 200


@pytest.mark.parametrize("failure", FAILURES)
async def test_a_device_that_computes_no_more_is_admitted(serving, digits, failure):
    """Whoever waits for it or comes later is told so with 503, and whoever runs the process is told to end it."""
    async with serving() as client:
        told = []
        client.service.lifecycle.on_failure = lambda: told.append(client.service.lifecycle.failure)
        client.service.engine.digit_model(None).backend.infer = failure
        failed = asyncio.create_task(client.post("/predict", content=digits[0]))
        await until(lambda: client.service.lifecycle.suspects)
        waiting = [asyncio.create_task(client.post("/predict", content=digit)) for digit in digits[:5]]
        for answer in (failed, *waiting):
            assert refusal(await answer) == (503, "backend_failed")
        assert refusal(await client.post("/predict", content=digits[0])) == (503, "backend_failed")
        assert (await client.get("/health/ready")).status_code == 503
        assert (await client.get("/health/live")).status_code == 200
        assert [type(failure).__name__ for failure in told] == ["BackendFailed"]


async def until(condition: Callable[[], object]) -> None:
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.005)
    raise AssertionError("it never happened")
