"""Traces, from a caller's `traceparent` to the batch, as a collector gets them over a real socket."""

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import httpx
import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from running import Running, attempt

FIRST, SECOND, UNSAMPLED = "a" * 32, "b" * 32, "c" * 32
PARENT = "b7ad6b7169203331"


class Collector:
    """An OpenTelemetry collector that keeps in memory what comes by OTLP over HTTP, as protobuf."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.resources: list[dict[str, str]] = []
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                if self.headers.get("Content-Encoding") == "gzip":
                    body = gzip.decompress(body)
                assert (self.path, self.headers["Content-Type"]) == ("/v1/traces", "application/x-protobuf")
                collector.take(ExportTraceServiceRequest.FromString(body))
                answer = ExportTraceServiceResponse().SerializeToString()
                self.send_response(200)
                self.send_header("Content-Type", "application/x-protobuf")
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args: object) -> None: ...

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}/v1/traces"

    def take(self, request: ExportTraceServiceRequest) -> None:
        for resource in request.resource_spans:
            self.resources.append({pair.key: pair.value.string_value for pair in resource.resource.attributes})
            for scope in resource.scope_spans:
                self.spans.extend(scope.spans)

    def named(self, name: str) -> list[Span]:
        return [span for span in self.spans if span.name == name]


@pytest.fixture
def collector() -> Iterator[Collector]:
    collector = Collector()
    thread = Thread(target=collector.server.serve_forever, args=(0.05,))
    thread.start()
    yield collector
    collector.server.shutdown()
    thread.join()
    collector.server.server_close()


def attributes(span: Span) -> dict[str, object]:
    return {pair.key: pair.value.int_value or pair.value.string_value for pair in span.attributes}


def test_two_callers_traces_lead_to_the_batch_that_they_shared(serve, digits, collector):
    """Each request is a span in its caller's trace, with its wait and its pass; both passes link to one batch, which
    links back to both. What a caller has not sampled is not sent, a caller without a trace gets one, and what came in
    before SIGTERM is all there.
    """
    options = ("--max-batch-delay", "1", "--max-batch-size", "3", "--traces-endpoint", collector.url)
    running: Running = serve(*options, "--access-log", LENET5_LOG_FORMAT="json")

    def ask(trace: str, flags: str) -> int:
        headers = {"traceparent": f"00-{trace}-{PARENT}-{flags}"}
        return httpx.post(running.url + "/predict", content=digits[0], headers=headers, timeout=30).status_code

    with ThreadPoolExecutor(3) as pool:  # as many as a batch holds, so that they are one
        assert list(pool.map(ask, (FIRST, SECOND, UNSAMPLED), ("01", "01", "00"))) == [200] * 3
    assert httpx.get(running.url + "/models/nowhere", headers={"traceparent": "00-broken"}).status_code == 404
    assert running.stop() == 0

    requests = {span.trace_id.hex(): span for span in collector.named("POST /predict")}
    assert set(requests) == {FIRST, SECOND}
    (batch,) = collector.named("batch")
    assert {(link.trace_id.hex(), link.span_id) for link in batch.links} == {
        (trace, span.span_id) for trace, span in requests.items()
    }
    assert attributes(batch) == {"lenet5.model": "lenet5:1", "lenet5.batch_size": 3}
    for name in ("queue", "forward pass"):
        found = collector.named(name)
        assert {span.trace_id.hex(): span.parent_span_id for span in found} == {
            trace: span.span_id for trace, span in requests.items()
        }
        for span in found:
            request = requests[span.trace_id.hex()]
            assert request.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano
    assert {link.span_id for span in collector.named("forward pass") for link in span.links} == {batch.span_id}
    for span in requests.values():
        assert span.parent_span_id.hex() == PARENT
        assert span.kind == Span.SPAN_KIND_SERVER
        assert attributes(span).items() >= {"http.route": "/predict", "http.response.status_code": 200}.items()
    (own,) = collector.named("GET unmatched")
    assert own.parent_span_id == b""
    (line,) = [line for line in map(json.loads, running.log.splitlines()) if line.get("path") == "/models/nowhere"]
    assert (line["trace_id"], line["span_id"]) == (own.trace_id.hex(), own.span_id.hex())
    assert all(resource["service.name"] == "lenet5-serve" for resource in collector.resources)


def test_a_collector_that_is_gone_costs_no_answer_and_no_exit_code(serve, digits, collector):
    """Where nobody listens requests are answered and the process ends with 0."""
    collector.server.server_close()
    running: Running = serve("--traces-endpoint", collector.url)
    assert httpx.post(running.url + "/predict", content=digits[0]).status_code == 200
    assert running.stop() == 0


def test_traces_without_their_extra_are_one_line(model_dir, tmp_path):
    """Asked for where the SDK is not installed they stop the start; not asked for, nothing of it is imported."""
    (tmp_path / "sitecustomize.py").write_text("import sys; sys.modules['opentelemetry.sdk'] = None")
    options = ("--traces-endpoint", "http://127.0.0.1:9/v1/traces", "--model-dir", str(model_dir))
    code, lines = attempt(*options, PYTHONPATH=f"{tmp_path}:{':'.join(sys.path)}")
    assert (code, lines) == (
        1,
        ["lenet5: traces were asked for, but OpenTelemetry's SDK is not installed: it is in the extra otel"],
    )
    imported = "import sys, app.main; sys.exit(any(name.startswith('opentelemetry.sdk') for name in sys.modules))"
    assert subprocess.run([sys.executable, "-c", imported], check=False).returncode == 0
