"""The one wiring point: settings in, a whole application out."""

import asyncio
import gc
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Any

import cv2
import structlog
from fastapi import FastAPI
from fastapi_offline import FastAPIOffline

from app import logs
from app.api import cards, errors, explain, ops, predict, read, v2, web
from app.api.access import allow_origins, document_keys
from app.api.middleware import RequestContext
from app.api.routes import Directly
from app.api.service import BodyLimits, Service
from app.errors import StartFailed
from app.imaging import DecodeLimits
from app.keys import Keys, keys_given
from app.lenet.registry import FIELD_DEFAULT, Load, Registry, ServedModel, default_model_dir
from app.lenet.weights import Task
from app.runtime import open_backend
from app.serving.admission import Bounds
from app.serving.engine import Engine
from app.serving.lifecycle import Lifecycle
from app.serving.metrics import Metrics, ModelMetrics
from app.serving.model_set import ModelSet
from app.serving.models import DigitModel, FieldModel, Model
from app.settings import Settings, parts

if TYPE_CHECKING:
    from app.tracing import Tracing


def create_app(settings: Settings | None = None, *, serve: Registry | None = None) -> FastAPI:
    """The application: every model verified, loaded and warm; the lifespan starts and closes its batchers.

    The models are those of the model folder, or exactly those of `serve`, as another worker serves them.

    Raises ModelError when a default model must not be served, so that a failed start never reports ready.
    """
    settings = settings or Settings()
    if not structlog.is_configured():
        logs.configure(level=settings.log_level, form=settings.log_format)
    cv2.setNumThreads(1)  # pictures are decoded side by side; threads within one would only fight over the cores
    metrics, lifecycle = Metrics(), Lifecycle()
    tracing = _tracing(settings)
    models = _models(settings, metrics, lifecycle, serve, tracing)
    engine = _engine(settings, models)

    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncGenerator[None]:
        engine.start()
        gc.collect()
        gc.freeze()  # a full collection would walk everything that start-up left, for up to 100 ms
        yield
        lifecycle.refuse()
        await engine.close()
        if tracing is not None:
            await asyncio.to_thread(tracing.close)

    app = FastAPIOffline(
        title="lenet5-serve",
        description="Reads handwritten digits with LeNet-5 (LeCun et al. 1998).",
        version=version("lenet5-serve"),
        lifespan=lifespan,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # we have our own; asking takes 5 us a request
        docs_url=None,  # `web` has the page, without the inline script
        redoc_url=None,
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
    keys = _keys(settings)
    app.add_middleware(
        RequestContext,
        lifecycle=lifecycle,
        metrics=metrics,
        limits=limits,
        access_log=settings.access_log_sample if settings.access_log else 0.0,
        keys=keys,
    )
    if tracing is not None:
        from app.tracing import TracedRequests  # noqa: PLC0415 - as below

        app.add_middleware(TracedRequests, tracing=tracing)
    allow_origins(app, parts(settings.cors_origins))
    errors.install(app)
    app.include_router(predict.router)
    app.include_router(explain.router)
    app.include_router(read.router)
    app.include_router(v2.router)
    app.include_router(ops.router)
    app.include_router(cards.router)
    app.include_router(web.pages())
    web.write_document_once(app)
    if keys is not None:
        document_keys(app, keys.is_open)
    return app


def _keys(settings: Settings) -> Keys | None:
    """The keys of which a request needs one; None where none is asked for."""
    given = keys_given(settings.api_keys, settings.api_keys_file)
    return None if given is None else Keys(given.get_secret_value(), metrics_open=settings.metrics_open)


def _tracing(settings: Settings) -> "Tracing | None":
    """What sends traces; None where none are asked for. Raises StartFailed where the extra for it is not installed."""
    if settings.traces_endpoint is None:
        return None
    try:
        from app.tracing import Tracing  # noqa: PLC0415 - a service without traces needs none of it
    except ModuleNotFoundError as error:
        raise StartFailed(
            "traces were asked for, but OpenTelemetry's SDK is not installed: it is in the extra otel"
        ) from error
    return Tracing(settings.traces_endpoint, sample=settings.traces_sample, version=version("lenet5-serve"))


def _models(
    settings: Settings, metrics: Metrics, lifecycle: Lifecycle, serve: Registry | None, tracing: "Tracing | None"
) -> ModelSet:
    """The models that are served, on their device, warm."""
    folder = settings.model_dir or default_model_dir()

    def find(served: Registry | None, load: Load) -> Registry:
        if served is None:
            return serve.again(load=load) if serve else Registry.open(folder, defaults_of(settings, folder), load=load)
        return served.renewed(folder, defaults_of(settings, folder), load=load)

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
            lifecycle,
            max_batch_size=settings.max_batch_size,
            max_batch_delay=settings.max_batch_delay,
            tracer=None if tracing is None else tracing.passes(served.spec),
        )

    return ModelSet(find, open_model, metrics)


def _engine(settings: Settings, models: ModelSet) -> Engine:
    """What answers with the models, within the settings' limits."""
    return Engine(
        models,
        bounds=Bounds(
            pictures=settings.queue_pictures,
            pixels=settings.queue_megapixels * 1_000_000,
            body_bytes=settings.queue_body_bytes,
        ),
        limits=DecodeLimits(
            formats=frozenset(settings.picture_formats.upper().split(",")),
            max_pixels=settings.max_pixels,
            max_side=settings.max_side,
            max_scans=settings.max_scans,
            max_scan_megapixels=settings.max_scan_megapixels,
        ),
        decode_threads=settings.decode_threads,
    )


def defaults_of(settings: Settings, folder: Path) -> dict[Task, str]:
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
