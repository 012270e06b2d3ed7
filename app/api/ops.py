"""Health, metrics, and the models that are served."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response
from lenet5_client.schemas import ErrorBody, Health, ModelInfo, ModelList, TargetThreshold

from app.api.routes import answers
from app.api.service import ServiceDep, check_ready
from app.fields.calibration import FieldCalibrations
from app.lenet.registry import Registry
from app.lenet.weights import Manifest
from app.serving.metrics import CONTENT_TYPE

router = APIRouter(
    tags=["operations"], responses={status: {"model": ErrorBody} for status in (400, 405, 408, 431, 500, 503)}
)


@router.head("/health/live", include_in_schema=False)  # many load balancers probe with HEAD
@router.get("/health/live", summary="Whether the process runs")
async def live() -> Health:
    """200 as long as the event loop turns; it never depends on load."""
    return Health(status="live")


@router.head("/health/ready", include_in_schema=False)
@router.get("/health/ready", summary="Whether to send requests here")
async def ready(service: ServiceDep) -> Health:
    """200 when every model is loaded and warm; 503 once the process is shutting down, and from a forward pass that
    failed until another one succeeds.
    """
    check_ready(service.lifecycle)
    return Health(status="ready")


@router.get("/metrics", summary="Prometheus metrics", response_class=Response, responses=answers("text/plain"))
async def metrics(service: ServiceDep) -> Response:
    """The text format of Prometheus, added up over the worker processes."""
    exposition = await asyncio.to_thread(service.metrics.exposition)  # several workers' files take a while
    return Response(exposition, media_type=CONTENT_TYPE)


@router.get("/models", summary="The models that are served")
async def models(service: ServiceDep) -> ModelList:
    """Every model and version, with what its card measured."""
    return ModelList(models=model_infos(service.engine.registry))


def model_infos(registry: Registry) -> list[ModelInfo]:
    """What is said of every model of a registry."""
    return [
        ModelInfo(
            name=served.name,
            version=str(served.version),
            task=served.task,
            default=served.default,
            sha256=served.manifest.sha256["model.safetensors"],
            preprocessing=served.manifest.preprocessing,
            metrics=dict(served.manifest.metrics),
            thresholds=_thresholds(served.manifest),
        )
        for served in registry.served
    ]


def _thresholds(manifest: Manifest) -> dict[str, list[TargetThreshold]]:
    """By what is read: a digit, or the kinds of fields."""
    if manifest.task == "field":
        tables = FieldCalibrations.from_dict(manifest.field_calibration or {}).tables
    else:
        reading = manifest.reading
        tables = {"digit": tuple(zip(reading.target_errors, reading.thresholds, strict=True))}
    return {
        what: [TargetThreshold(target_error=error, threshold=threshold) for error, threshold in table]
        for what, table in tables.items()
        if table
    }
