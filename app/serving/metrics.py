"""The service's few metrics, in base units, added up over worker processes when there are several.

With several workers prometheus_client keeps its values in files of the folder PROMETHEUS_MULTIPROC_DIR, which the
supervisor sets before the workers start and empties.
"""

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

CONTENT_TYPE = CONTENT_TYPE_LATEST
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PASS_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)


class Metrics:
    """What dashboards and alerts rely on; the names and labels are a contract."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call] # they double the number of series
        self._registry = registry = CollectorRegistry()
        self.requests = Counter(
            "lenet5_requests", "Answers, by route and HTTP status.", ("endpoint", "status"), registry=registry
        )
        self.request_seconds = Histogram(
            "lenet5_request_duration_seconds",
            "From the first byte read to the last written.",
            ("endpoint",),
            buckets=SECONDS,
            registry=registry,
        )
        self.batch_size = Histogram(
            "lenet5_batch_size", "Pictures in one forward pass.", ("model",), buckets=BATCH_SIZES, registry=registry
        )
        self.inference_seconds = Histogram(
            "lenet5_inference_duration_seconds",
            "One forward pass.",
            ("model",),
            buckets=PASS_SECONDS,
            registry=registry,
        )
        self.queue_depth = Gauge(
            "lenet5_queue_depth", "Pictures waiting.", ("model",), multiprocess_mode="livesum", registry=registry
        )
        self.rejected = Counter("lenet5_rejected", "Requests refused before any work.", ("reason",), registry=registry)
        self.models_left_out = Gauge(
            "lenet5_models_left_out",
            "Model versions in the model folder that failed verification and are not served.",
            multiprocess_mode="livemax",
            registry=registry,
        )
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        for reason in ("queue_full", "draining", "deadline", "too_large"):
            self.rejected.labels(reason)

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answer."""
        counters = self._answered.get((endpoint, status))
        if counters is None:  # looking them up by their labels takes 6 us
            counters = self.requests.labels(endpoint, status), self.request_seconds.labels(endpoint)
            self._answered[endpoint, status] = counters
        counters[0].inc()
        counters[1].observe(seconds)

    def exposition(self) -> bytes:
        """Prometheus' text format, of this process or, with several workers, of all of them."""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self._registry)


class ModelMetrics:
    """The batcher's observer for one model."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._depth = metrics.queue_depth.labels(model)
        self._size = metrics.batch_size.labels(model)
        self._seconds = metrics.inference_seconds.labels(model)

    def queued(self, depth: int) -> None:
        """`depth` inputs wait now."""
        self._depth.set(depth)

    def inferred(self, size: int, seconds: float) -> None:
        """A forward pass of `size` inputs took `seconds`."""
        self._size.observe(size)
        self._seconds.observe(seconds)
