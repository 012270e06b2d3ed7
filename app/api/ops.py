"""Health, metrics, and the models that are served."""

import asyncio

from fastapi import APIRouter
from fastapi.responses import Response
from lenet5_client.schemas import ErrorBody, Health, ModelInfo, ModelList

from app.api.service import ServiceDep
from app.errors import NotReady
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
    """200 when every model is loaded and warm, 503 once the process is shutting down."""
    if service.lifecycle.draining:
        raise NotReady("The service is shutting down.", missing=["draining"])
    return Health(status="ready")


@router.get("/metrics", summary="Prometheus metrics", response_class=Response)
async def metrics(service: ServiceDep) -> Response:
    """The text format of Prometheus, added up over the worker processes."""
    exposition = await asyncio.to_thread(service.metrics.exposition)  # several workers' files take a while
    return Response(exposition, media_type=CONTENT_TYPE)


@router.get("/models", summary="The models that are served")
async def models(service: ServiceDep) -> ModelList:
    """Every model and version, with what its card measured."""
    registry = service.engine.registry
    return ModelList(
        models=[
            ModelInfo(
                name=served.name,
                version=str(served.version),
                task=served.task,
                default=served.default,
                sha256=served.manifest.sha256["model.safetensors"],
                preprocessing=served.manifest.preprocessing,
                metrics=dict(served.manifest.metrics),
            )
            for served in registry.served
        ]
    )
