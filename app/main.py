"""The one wiring point: settings in, a whole application out."""

import gc
from collections.abc import AsyncGenerator, Collection
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import cv2
import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import logs
from app.api import errors, ops, predict, read, v2
from app.api.middleware import RequestContext
from app.api.routes import Directly
from app.api.service import BodyLimits, Service
from app.imaging import DecodeLimits
from app.lenet.registry import FIELD_DEFAULT, Pin, Registry, ServedModel, default_model_dir
from app.lenet.weights import Task
from app.runtime import open_backend
from app.serving.admission import Bounds
from app.serving.engine import Engine
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics, ModelMetrics
from app.serving.models import DigitModel, FieldModel, Model
from app.settings import Settings

log = structlog.get_logger("lenet5")


def create_app(settings: Settings | None = None, *, pins: Collection[Pin] | None = None) -> FastAPI:
    """The application: every model verified, loaded and warm; the lifespan starts and closes its batchers.

    With `pins` the models are exactly those that another worker serves.

    Raises ModelError when a default model must not be served, so that a failed start never reports ready.
    """
    settings = settings or Settings()
    if not structlog.is_configured():
        logs.configure(level=settings.log_level, form=settings.log_format)
    cv2.setNumThreads(1)  # pictures are decoded side by side; threads within one would only fight over the cores
    metrics, lifecycle = Metrics(), Lifecycle()
    engine = _engine(settings, metrics, pins)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        engine.start()
        gc.collect()
        gc.freeze()  # a full collection would walk everything that start-up left, for up to 100 ms
        yield
        lifecycle.refuse()
        await engine.close()

    app = FastAPIOffline(
        title="lenet5-serve",
        description="Reads handwritten digits with LeNet-5 (LeCun et al. 1998).",
        version=version("lenet5-serve"),
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # we have our own; asking takes 5 us a request
        redirect_slashes=False,  # a redirect would name a host that the caller's Host header chose
    )
    limits = BodyLimits(
        max_bytes=settings.max_body_bytes,
        max_batch_bytes=settings.max_batch_body_bytes,
        max_batch_pictures=settings.max_batch_pictures,
        max_tensor_rows=settings.max_tensor_rows,
        timeout=settings.body_timeout,
        min_rate=settings.body_min_rate,
    )
    app.state.service = Service(engine, lifecycle, metrics, limits)
    app.add_middleware(Directly, routers=(predict.router, read.router))
    app.add_middleware(
        RequestContext, lifecycle=lifecycle, metrics=metrics, limits=limits, access_log=settings.access_log
    )
    errors.install(app)
    app.include_router(predict.router)
    app.include_router(read.router)
    app.include_router(v2.router)
    app.include_router(ops.router)
    return app


def _engine(settings: Settings, metrics: Metrics, pins: Collection[Pin] | None) -> Engine:
    """The models of the model folder on their device, warm."""
    folder = settings.model_dir or default_model_dir()
    registry = Registry.open(folder, _defaults(settings, folder), pins=pins)
    metrics.models_left_out.set(len(registry.left_out))
    for left_out in registry.left_out:
        log.warning("model left out", folder=str(left_out.path), error=left_out.error.message)

    def open_model(served: ServedModel) -> Model:
        backend = open_backend(
            served.folder,
            device=settings.device,
            max_batch_size=settings.max_batch_size,
            threads=settings.inference_threads,
        )
        backend.warm_up()
        kind = {"digit": DigitModel, "field": FieldModel}[served.task]
        return kind(
            served,
            backend,
            ModelMetrics(metrics, served.name),
            max_batch_size=settings.max_batch_size,
            max_batch_delay=settings.max_batch_delay,
        )

    return Engine(
        registry,
        open_model,
        bounds=Bounds(
            pictures=settings.queue_pictures,
            pixels=settings.queue_megapixels * 1_000_000,
            body_bytes=settings.queue_body_bytes,
        ),
        limits=DecodeLimits(
            formats=frozenset(settings.picture_formats.upper().split(",")),
            max_pixels=settings.max_pixels,
            max_side=settings.max_side,
        ),
        decode_threads=settings.decode_threads,
    )


def _defaults(settings: Settings, folder: Path) -> dict[Task, str]:
    """The default model of each task; a folder of one's own need not have one for fields."""
    defaults: dict[Task, str] = {"digit": settings.digit_model}
    if settings.field_model is not None or (folder / FIELD_DEFAULT).is_dir():
        defaults["field"] = settings.field_model or FIELD_DEFAULT
    return defaults


def __getattr__(name: str) -> Any:
    """`uvicorn app.main:app` works, and yet nothing happens at import: the application is made when it is asked for."""
    if name == "app":
        return create_app()
    raise AttributeError(name)
