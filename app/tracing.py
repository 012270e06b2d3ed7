"""Traces of requests, from their caller's `traceparent` to the forward passes that they share with others.

    POST /predict         in the caller's trace, or in a new one
    ├── queue             from the batcher's door to the pass; a small picture is read in it
    └── forward pass      linked to
    batch                 the pass itself, a trace of its own, linked to each request in it

Sent to a collector by OpenTelemetry's SDK from a thread of its own. Needs the extra `otel`; imported only where traces
are asked for.
"""

from collections.abc import Iterable
from contextvars import ContextVar
from threading import Thread
from time import time_ns
from typing import Final, NamedTuple

import structlog
from opentelemetry.context import Context
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.sdk.trace.sampling import ALWAYS_ON, ParentBased, TraceIdRatioBased
from opentelemetry.trace import Link, Span, SpanKind, Status, StatusCode, Tracer, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.api.middleware import CLIENT_CLOSED_REQUEST, endpoint_of

SEND_TIMEOUT: Final = 5.0
"""Seconds in which a collector must take what is sent."""
W3C: Final = frozenset({b"traceparent", b"tracestate"})
LAST_SPANS: Final = 1.0
"""Seconds in which the last ones are sent when the process ends."""


class Caller(NamedTuple):
    """A request that waits for a forward pass."""

    span: Span
    submitted: int  # nanoseconds since the epoch


class Tracing:
    """Makes the spans of a process and sends them."""

    def __init__(self, endpoint: str, *, sample: float, version: str) -> None:
        """`endpoint` is a collector's full URL; `sample` the share of those requests that bring no trace, 0 to 1."""
        resource = Resource.create({"service.name": "lenet5-serve", "service.version": version})
        resource = resource.merge(OTELResourceDetector().detect())  # OTEL_SERVICE_NAME and its like win
        self._processor = BatchSpanProcessor(OTLPSpanExporter(endpoint, timeout=SEND_TIMEOUT))
        requests = TracerProvider(ParentBased(TraceIdRatioBased(sample)), resource, shutdown_on_exit=False)
        batches = TracerProvider(
            ALWAYS_ON, resource, shutdown_on_exit=False
        )  # they are made for sampled requests alone
        for provider in (requests, batches):
            provider.add_span_processor(self._processor)
        self._requests, self._batches = requests.get_tracer("lenet5"), batches.get_tracer("lenet5")
        self._propagator = TraceContextTextMapPropagator()
        self._request: ContextVar[Span | None] = ContextVar("lenet5-request", default=None)

    def begin(self, scope: Scope) -> Span:
        """The span of a request that has come in, whose ids are from now on in each line that it logs."""
        carrier = {name.decode(): value.decode("latin-1") for name, value in scope["headers"] if name in W3C}
        attributes = {"http.request.method": scope["method"], "url.path": scope["path"]}
        parent = self._propagator.extract(carrier, Context())
        span = self._requests.start_span(scope["method"], parent, SpanKind.SERVER, attributes)
        self._request.set(span)
        ids = span.get_span_context()
        structlog.contextvars.bind_contextvars(trace_id=f"{ids.trace_id:032x}", span_id=f"{ids.span_id:016x}")
        return span

    def passes(self, model: str) -> "PassTracing":
        """What a model's batcher tells of its forward passes; `model` is NAME:VERSION."""
        return PassTracing(self._request, self._requests, self._batches, model)

    def close(self) -> None:
        """Send what is left, unless the collector does not take it."""
        last = Thread(target=self._processor.shutdown, name="last-spans", daemon=True)
        last.start()
        last.join(LAST_SPANS)


class TracedRequests:
    """Pure ASGI: a span for each request, around all else that is done with it."""

    def __init__(self, app: ASGIApp, *, tracing: Tracing) -> None:
        self._app = app
        self._tracing = tracing

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        span, status = self._tracing.begin(scope), CLIENT_CLOSED_REQUEST

        async def answer(message: Message) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        try:
            await self._app(scope, receive, answer)
        finally:
            endpoint = endpoint_of(scope)
            span.update_name(f"{scope['method']} {endpoint}")
            span.set_attributes({"http.route": endpoint, "http.response.status_code": status})
            if status >= 500:
                span.set_status(Status(StatusCode.ERROR))
            span.end()


class PassTracing:
    """Turns one model's forward passes into spans."""

    def __init__(self, request: ContextVar[Span | None], requests: Tracer, batches: Tracer, model: str) -> None:
        self._request = request
        self._requests = requests
        self._batches = batches
        self._model = model

    def caller(self) -> Caller | None:
        """The request of the task that asks, if it is traced."""
        span = self._request.get()
        return None if span is None or not span.is_recording() else Caller(span, time_ns())

    def passed(self, callers: Iterable[Caller | None], size: int, seconds: float) -> None:
        """A pass of `size` pictures, of these callers, has just come to an end."""
        waiting: dict[Span, int] = {}  # by request, since its first picture here was submitted
        for caller in callers:
            if caller is not None:
                waiting.setdefault(caller.span, caller.submitted)
        if not waiting:
            return
        end = time_ns()
        start = end - round(seconds * 1e9)
        what: dict[str, str | int] = {"lenet5.model": self._model, "lenet5.batch_size": size}
        links = [Link(span.get_span_context()) for span in waiting]
        batch = self._batches.start_span("batch", Context(), attributes=what, links=links, start_time=start)
        batch.end(end)
        for span, submitted in waiting.items():
            request, link = set_span_in_context(span, Context()), Link(batch.get_span_context())
            self._requests.start_span("queue", request, start_time=min(submitted, start)).end(start)
            shown = self._requests.start_span("forward pass", request, attributes=what, links=[link], start_time=start)
            shown.end(end)
