"""What surrounds every request: its id, its place in the drain, its metrics, and the answer to its errors."""

import asyncio
import re
import secrets
from time import perf_counter
from typing import Any

import structlog
from starlette.requests import ClientDisconnect
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.errors import error_response
from app.api.service import BodyLimits
from app.api.unread import Body
from app.errors import BodyTooLarge, DeadlineExceeded, Draining, ImageTooLarge, QueueFull, ServiceError, TooManyImages
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics

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
}

REQUEST_ID = re.compile(rb"[\x20-\x7e]{1,128}")
TRACEPARENT = re.compile(rb"[0-9a-f]{2}-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class RequestContext:
    """Pure ASGI, as the outermost middleware of ours."""

    def __init__(
        self, app: ASGIApp, *, lifecycle: Lifecycle, metrics: Metrics, limits: BodyLimits, access_log: bool
    ) -> None:
        self._app = app
        self._lifecycle = lifecycle
        self._metrics = metrics
        self._limits = limits
        self._access_log = access_log

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        start = perf_counter()
        task = asyncio.current_task()
        assert task is not None  # noqa: S101 - an ASGI server runs a request in a task
        headers: dict[bytes, bytes] = dict(scope["headers"])
        request_id = _bind(headers)
        body = Body(headers, receive, self._limits)
        status = 0
        recorded = False

        def record() -> None:
            nonlocal recorded
            if not recorded:
                recorded = True
                self._record(scope, status or CLIENT_CLOSED_REQUEST, perf_counter() - start)

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                headers = [*message.get("headers", ()), (b"x-request-id", request_id)]
                if self._lifecycle.aborting or not await body.ended():
                    headers.append((b"connection", b"close"))
                status, message["headers"] = message["status"], headers
            elif not message.get("more_body", False):
                record()  # before the caller can know, so that its own count is never ahead of ours
            await send(message)

        self._lifecycle.in_flight.add(task)
        try:
            if self._lifecycle.refusing and scope["path"] not in OPERATIONS:
                raise Draining("The service is shutting down; send the request to another instance.")
            await self._app(scope, body.receive, answer)
        except ServiceError as error:
            if error.status >= 500 and not isinstance(error, Draining | DeadlineExceeded):
                log.error("request failed", code=error.code, exc_info=error)
            await self._refuse(error, scope, receive, answer, started=bool(status))
        except (ClientDisconnect, asyncio.CancelledError):
            if self._lifecycle.aborting:
                late = Draining("The service was shut down before the answer was ready.")
                await self._refuse(late, scope, receive, answer, started=bool(status))
        except Exception as error:  # a fault of ours is answered and logged, and costs nobody else anything
            log.error("request failed", exc_info=error)
            fault = ServiceError("The service failed; the request id identifies the log entry.")
            await self._refuse(fault, scope, receive, answer, started=bool(status))
        finally:
            self._lifecycle.in_flight.discard(task)
            record()

    async def _refuse(self, error: ServiceError, scope: Scope, receive: Receive, send: Send, *, started: bool) -> None:
        if reason := REJECTIONS.get(type(error)):
            self._metrics.rejected.labels(reason).inc()
        if started:  # half an answer is out: only cutting the connection tells the caller
            raise error
        await error_response(error, scope["path"])(scope, receive, send)

    def _record(self, scope: Scope, status: int, seconds: float) -> None:
        endpoint = getattr(scope.get("route"), "path", "unmatched")
        self._metrics.answered(endpoint, status, seconds)
        if self._access_log:
            log.info(
                "request",
                method=scope["method"],
                path=scope["path"],
                status=status,
                milliseconds=round(seconds * 1e3, 3),
            )


def _bind(headers: dict[bytes, bytes]) -> bytes:
    """The request's id, echoed or made; it and the caller's trace id stand in every log line of the request."""
    given = headers.get(b"x-request-id", b"")
    request_id = given if REQUEST_ID.fullmatch(given) else secrets.token_hex(16).encode()
    context: dict[str, Any] = {"request_id": request_id.decode()}
    if trace := TRACEPARENT.fullmatch(headers.get(b"traceparent", b"")):
        context["trace_id"] = trace[1].decode()
    structlog.contextvars.bind_contextvars(**context)
    return request_id
