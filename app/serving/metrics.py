"""The service's few metrics, in base units, added up over worker processes when there are several.

With several workers prometheus_client keeps its values in files of the folder PROMETHEUS_MULTIPROC_DIR, which the
supervisor sets before the workers start and empties.
"""

import os
import platform
from importlib.metadata import version

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector

from app.lenet.registry import Registry, ServedModel
from app.lenet.weights import WEIGHTS

CONTENT_TYPE = CONTENT_TYPE_LATEST
UNMATCHED = "unmatched"
"""The endpoint of requests that no route takes, and of those that were refused before their headers were whole."""
BATCH_SIZES = (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024)
SECONDS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
PASS_SECONDS = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0)
CONFIDENCES = (0.1, 0.25, 0.5, 0.75, 0.9, 0.95, 0.98, 0.99, 0.995, 0.998, 0.999, 1.0)


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
        self.reloads = Counter(
            "lenet5_model_reloads",
            "Reloads by result: changed, unchanged, refused (a version that came), failed.",
            ("result",),
            registry=registry,
        )
        self.model_info = Gauge(
            "lenet5_model_info",
            "1 for each model version that is served, 0 for one that was.",
            ("model", "version", "task", "default", "sha256"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.confidence = Histogram(
            "lenet5_confidence",
            "Confidence of the answers of /predict, /read and their batches, apart for those accepted and not.",
            ("model", "version", "accepted"),
            buckets=CONFIDENCES,
            registry=registry,
        )
        self.build_info = Gauge(
            "lenet5_build_info",
            "1, with the versions of the service and of Python.",
            ("version", "python"),
            multiprocess_mode="livemax",
            registry=registry,
        )
        self.build_info.labels(version("lenet5-serve"), platform.python_version()).set(1)
        self._info: set[tuple[str, ...]] = set()  # labels of what is served
        self._answered: dict[tuple[str, int], tuple[Counter, Histogram]] = {}
        self._confidences: dict[tuple[str, str, bool], Histogram] = {}
        for reason in ("queue_full", "draining", "deadline", "too_large", "unauthorized"):
            self.rejected.labels(reason)
        for result in ("changed", "unchanged", "refused", "failed"):
            self.reloads.labels(result)

    def serve(self, models: Registry) -> None:
        """Say which models are served now, and how many are left out."""
        self.models_left_out.set(len(models.left_out))
        served = {_labels(model) for model in models.served}
        for labels in self._info - served:
            self.model_info.labels(*labels).set(0)
        for labels in served:
            self.model_info.labels(*labels).set(1)
        self._info = served

    def answered(self, endpoint: str, status: int, seconds: float) -> None:
        """Count an answer."""
        counters = self._answered.get((endpoint, status))
        if counters is None:  # looking them up by their labels takes 6 us
            counters = self.requests.labels(endpoint, status), self.request_seconds.labels(endpoint)
            self._answered[endpoint, status] = counters
        counters[0].inc()
        counters[1].observe(seconds)

    def decided(self, model: str, version: str, confidence: float, *, accepted: bool) -> None:
        """Count what a model made of one picture: how sure it was, and whether that was enough."""
        confidences = self._confidences.get((model, version, accepted))
        if confidences is None:
            confidences = self.confidence.labels(model, version, str(accepted).lower())
            self._confidences[model, version, accepted] = confidences
        confidences.observe(confidence)

    def refused(self, status: int) -> None:
        """Count an answer to a request that never was whole, so that it has no duration either."""
        self.requests.labels(UNMATCHED, status).inc()

    def exposition(self) -> bytes:
        """Prometheus' text format, of this process or, with several workers, of all of them."""
        if os.environ.get("PROMETHEUS_MULTIPROC_DIR"):
            registry = CollectorRegistry()
            MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
            return generate_latest(registry)
        return generate_latest(self._registry)


def _labels(model: ServedModel) -> tuple[str, ...]:
    return model.name, str(model.version), model.task, str(model.default).lower(), model.manifest.sha256[WEIGHTS]


class ModelMetrics:
    """The batcher's observer for one model."""

    def __init__(self, metrics: Metrics, model: str) -> None:
        self._depth = metrics.queue_depth.labels(model)
        self._queued = 0
        self._size = metrics.batch_size.labels(model)
        self._seconds = metrics.inference_seconds.labels(model)

    def queued(self, depth: int) -> None:
        """`depth` inputs wait now, of this version; the gauge has all versions of the name."""
        self._depth.inc(depth - self._queued)
        self._queued = depth

    def inferred(self, size: int, seconds: float) -> None:
        """A forward pass of `size` inputs took `seconds`."""
        self._size.observe(size)
        self._seconds.observe(seconds)
