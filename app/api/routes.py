"""What the routes for pictures share: how they are called, documented and answered."""

from collections.abc import Callable, Coroutine
from typing import Any

import orjson
from fastapi import Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from lenet5_client.schemas import ErrorBody

from app.api.bodies import FORM_TYPE, PICTURE_TYPES
from app.serving.engine import Timing
from app.serving.models import Model

FILE = {"type": "string", "format": "binary"}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 404, 405, 408, 413, 415, 422, 429, 431, 500, 503, 504)
}


class DirectRoute(APIRoute):
    """Calls its endpoint with the request and nothing else.

    FastAPI would go through the parameters anew for each request, which takes longer than all that we do: 350 of 640
    microseconds. A router's `_documented` says them for the OpenAPI document, `_asked` checks them against the same
    model.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook for a route's own handling of requests."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


def body(field: str, schema: dict[str, Any], **texts: str) -> dict[str, Any]:
    """The OpenAPI description of a request body: a raw picture, or a form with `field`, and texts by what they say."""
    picture = {"schema": {"type": "string", "format": "binary"}}
    parts = {name: {"type": "string", "description": description} for name, description in texts.items()}
    form = {"schema": {"type": "object", "properties": {field: schema, **parts}, "required": [field]}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(PICTURE_TYPES, picture) | {FORM_TYPE: form}}}


def model_ref(model: Model) -> dict[str, str]:
    """The wire's `ModelRef`."""
    return {"name": model.name, "version": str(model.version)}


def json_answer(body: dict[str, Any], timing: Timing | None = None) -> Response:
    """The answer, and where its time went."""
    headers = {}
    if timing is not None:  # W3C Server Timing, in milliseconds
        headers["Server-Timing"] = (
            f"decode;dur={timing.decode * 1e3:.3f}, queue;dur={timing.queue * 1e3:.3f}, "
            f"infer;dur={timing.infer * 1e3:.3f}"
        )
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
