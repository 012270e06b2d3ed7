"""What the routes for pictures share: how they are called, documented and answered."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

import orjson
from fastapi import APIRouter, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from lenet5_client.schemas import ErrorBody
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.bodies import FORM_TYPE, PICTURE_TYPES
from app.serving.classification import Timing
from app.serving.models import Model

FILE = {"type": "string", "format": "binary"}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 404, 405, 408, 413, 415, 422, 429, 431, 500, 503, 504)
}


class DirectRoute(APIRoute):
    """Calls its endpoint with the request and nothing else.

    FastAPI would go through the parameters anew for each request, which takes longer than all that we do. A router's
    `_documented` says them for the OpenAPI document, `_asked` checks them against the same model.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook for a route's own handling of requests."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


class Directly:
    """Hands the requests for direct routes to their endpoints, past FastAPI's router and what it wraps around it.

    Pure ASGI. What FastAPI does there is of no use to an endpoint that takes the request and answers with a response;
    it takes 70 of 320 us. A wrong method, and every other path, are FastAPI's.
    """

    def __init__(self, app: ASGIApp, *, routers: Iterable[APIRouter]) -> None:
        self._app = app
        self._routes = {
            (method, route.path): route
            for router in routers
            for route in router.routes
            if isinstance(route, DirectRoute)
            for method in route.methods or ()
        }

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        route = self._routes.get((scope.get("method", ""), scope.get("path", "")))
        if route is None:
            await self._app(scope, receive, send)
            return
        scope["route"] = route
        response = await route.endpoint(Request(scope, receive))
        await response(scope, receive, send)


class JsonAnswer(Response):
    """A response whose headers are not worked out anew for each."""

    def __init__(self, body: bytes, *headers: tuple[bytes, bytes]) -> None:
        self.status_code = 200
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body)), *headers]


def body(field: str, schema: dict[str, Any], **texts: str) -> dict[str, Any]:
    """The OpenAPI description of a request body: a raw picture, or a form with `field`, and texts by what they say."""
    picture = {"schema": {"type": "string", "format": "binary"}}
    parts = {name: {"type": "string", "description": description} for name, description in texts.items()}
    form = {"schema": {"type": "object", "properties": {field: schema, **parts}, "required": [field]}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(PICTURE_TYPES, picture) | {FORM_TYPE: form}}}


def answers(media_type: str) -> dict[int | str, dict[str, Any]]:
    """The OpenAPI description of a good answer that is no JSON; for a route whose `response_class` is Response.

    A response class with a type of its own would give that type to the errors as well.
    """
    return {200: {"content": {media_type: {}}}}


def model_ref(model: Model) -> dict[str, str]:
    """The wire's `ModelRef`."""
    return {"name": model.name, "version": str(model.version)}


def json_answer(body: dict[str, Any], timing: Timing | None = None) -> Response:
    """The answer, and where its time went."""
    if timing is None:
        return JsonAnswer(orjson.dumps(body))
    durations = (timing.decode * 1e3, timing.queue * 1e3, timing.infer * 1e3)  # W3C Server Timing, in milliseconds
    return JsonAnswer(
        orjson.dumps(body), (b"server-timing", b"decode;dur=%.3f, queue;dur=%.3f, infer;dur=%.3f" % durations)
    )
