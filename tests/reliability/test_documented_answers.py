"""Promise 7, as far as it goes without schemathesis: every answer is documented, and has what every answer has."""

from collections.abc import AsyncGenerator
from itertools import product
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi import FastAPI
from lenet5_client.schemas import ErrorBody

from app.api.v2.schemas import Failure
from app.main import create_app
from app.settings import Settings
from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.seeds import seeds

BODIES = [
    b"",
    b"{}",
    b"[1]",
    b'{"inputs": []}',
    b"\xff\xfe",
    seeds()[0],
    *(mutated(case, 1, seeds()) for case in range(20)),
]
TYPES = ["image/png", "application/json", "multipart/form-data", "text/plain", ""]
QUERIES = ["", "?threshold=2", "?model=none", "?threshold=0.5&target_error=0.1", "?kind=amount", "?n_best=x"]


@pytest.fixture
async def app(model_dir: Path) -> AsyncGenerator[FastAPI]:
    made = create_app(Settings(model_dir=model_dir, device="cpu"))
    async with made.router.lifespan_context(made):
        yield made


def documented(app: FastAPI) -> list[tuple[str, str, dict[str, Any]]]:
    """Method, path and responses of every operation."""
    return [
        (method.upper(), path.replace("{name}", "lenet5").replace("{version}", "1"), operation["responses"])
        for path, operations in app.openapi()["paths"].items()
        for method, operation in operations.items()
    ]


async def test_every_answer_is_documented(app: FastAPI) -> None:
    """Whatever the body, its type and the query: the status is in the document, errors have their shape, all an id."""
    transport = httpx.ASGITransport(app, raise_app_exceptions=False)
    statuses = set()
    async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
        for method, path, responses in documented(app):
            sent = product(BODIES, TYPES) if method == "POST" else [(b"", "")]
            for number, (body, media_type) in enumerate(sent):
                url = path + (QUERIES[number % len(QUERIES)] if method == "POST" else "")
                headers = {"Content-Type": media_type} if media_type else {}
                answer = await client.request(method, url, content=body, headers=headers)
                assert str(answer.status_code) in responses, (method, url, media_type, body[:20], answer.text)
                assert answer.headers["x-request-id"]
                if answer.status_code >= 400:
                    (Failure if path.startswith("/v2") else ErrorBody).model_validate_json(answer.content)
                statuses.add(answer.status_code)
    assert {200, 400, 404, 415, 422} <= statuses
