"""What surrounds every request: its id, its place in the drain, its metrics, and the answer to its errors."""

import asyncio
import re
from random import getrandbits, random
from time import perf_counter
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import error_response
from app.api.service import HEADERS, BodyLimits
from app.api.unread import Body
from app.errors import (
    BodyTooLarge,
    DeadlineExceeded,
    Draining,
    ImageTooLarge,
    QueueFull,
    ServiceError,
    TooManyImages,
    Unauthorized,
    Unavailable,
)
from app.keys import Keys
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import UNMATCHED, Metrics

log = structlog.get_logger("lenet5.http")

CLIENT_CLOSED_REQUEST = 499
"""The status that is counted for a caller that went away before its answer; it is never sent."""

OPERATIONS = frozenset({"/health/live", "/health/ready", "/metrics", "/v2/health/live", "/v2/health/ready"})
"""Answered to the end, also while nothing else is taken."""

REJECTIONS: dict[type[ServiceError], str] = {
    QueueFull: "queue_full",
    Draining: "draining",
    DeadlineExceeded: "deadline",
    BodyTooLarge: "too_large",
    ImageTooLarge: "too_large",
    TooManyImages: "too_large",
    Unauthorized: "unauthorized",
}

NOSNIFF = (b"x-content-type-options", b"nosniff")

REQUEST_ID = re.compile(rb"[\x20-\x7e]{1,128}")
TRACEPARENT = re.compile(rb"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext:
    """Pure ASGI, as the outermost middleware of ours."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        lifecycle: Lifecycle,
        metrics: Metrics,
        limits: BodyLimits,
        access_log: float,
        keys: Keys | None = None,
    ) -> None:
        """`access_log` is the share of the requests, 0 to 1, that are a line in the log; a fault of ours always is."""
        self._app = app
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._limits = limits
        self._access_log = access_log
        self._keys = keys

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI server runs a request in a task
        headers = scope[HEADERS] = dict(scope["headers"])
        caller = None if self._keys is None else self._keys.caller(headers)
        request_id = _bind(headers, caller)
        body = Body(headers, receive, self._limits)
        status = 0
        seconds: float | None = None
        fault: Exception | None = None

        def record() -> None:
            nonlocal seconds
            if seconds is None:
                seconds = perf_counter() - start
                self._metrics.answered(endpoint_of(scope), status or CLIENT_CLOSED_REQUEST, seconds)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"x-request-id", request_id), NOSNIFF]
                if self._lifecycle.aborting or not await body.ended():
                    headers.append((b"connection", b"close"))
                status, message["headers"] = message["status"], headers
            elif not message.get("more_body", False):
                record()  # before the caller can know, so that its own count is never ahead of ours
            await send(message)

        self._lifecycle.in_flight.add(task)
        try:
            if self._keys is not None:
                self._keys.check(caller, scope["path"], headers)
            if self._lifecycle.refusing and scope["path"] not in OPERATIONS:
                raise self._lifecycle.refusal()
            await self._app(scope, body.receive, answer)
        except (ClientDisconnect, asyncio.CancelledError):
            if self._lifecycle.aborting:
                late = Draining("The service was shut down before the answer was ready.")
                await self._refuse(late, scope, receive, answer, started=bool(status))
        except Exception as error:  # noqa: BLE001 - it is answered and logged, and costs nobody else anything
            ours = "The service failed; the request id identifies the log entry."
            refusal = error if isinstance(error, ServiceError) else ServiceError(ours)
            fault = error if refusal.status >= 500 and not isinstance(refusal, Unavailable) else None
            await self._refuse(refusal, scope, receive, answer, started=bool(status))
        finally:
            self._lifecycle.in_flight.discard(task)
            record()
            if fault is not None or (self._access_log and random() < self._access_log):  # noqa: S311 - a sample, no secret
                _log(scope, status or CLIENT_CLOSED_REQUEST, seconds or 0.0, fault)

    async def _refuse(self, error: ServiceError, scope: Scope, receive: Receive, send: Send, *, started: bool) -> None:
        if reason := REJECTIONS.get(type(error)):
            self._metrics.rejected.labels(reason).inc()
        if started:  # half an answer is out: only cutting the connection tells the caller
            raise error
        await error_response(error, scope["path"])(scope, receive, send)


def endpoint_of(scope: Scope) -> str:
    """The template of the route that took the request."""
    return getattr(scope.get("route"), "path", UNMATCHED)


def _log(scope: Scope, status: int, seconds: float, fault: Exception | None) -> None:
    """The one line of a request."""
    said = {
        "method": scope["method"],
        "path": scope["path"],
        "status": status,
        "milliseconds": round(seconds * 1e3, 3),
        "client": (scope.get("client") or ("",))[0],
    }
    if fault is None:
        log.info("request", **said)
    else:
        log.error("request failed", **said, code=getattr(fault, "code", ServiceError.code), exc_info=fault)


def _bind(headers: dict[bytes, bytes], caller: str | None) -> bytes:
    """The request's id, echoed or made; it, the caller's trace id and their key's name are in every line it logs."""
    given = headers.get(b"x-request-id")
    request_id = given if given is not None and REQUEST_ID.fullmatch(given) else b"%032x" % getrandbits(128)
    context: dict[str, Any] = {"request_id": request_id.decode()}
    parent = headers.get(b"traceparent")
    if parent is not None and (trace := TRACEPARENT.fullmatch(parent)):
        context["trace_id"] = trace[1].decode()
    if caller is not None:
        context["key_name"] = caller
    structlog.contextvars.bind_contextvars(**context)
    return request_id
