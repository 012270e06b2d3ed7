"""The protocol's routes. They call the same engine, behind the same door, as `/predict`."""

from functools import partial
from typing import Annotated

from fastapi import APIRouter, Depends, Header, Request
from fastapi.responses import Response

from app.api.bodies import tensors
from app.api.caller import TimeoutHeader, WhileConnected, deadline, patience
from app.api.routes import ERRORS, DirectRoute, json_answer
from app.api.service import check_ready, service_of
from app.api.v2 import schemas
from app.api.v2.request import HEADER_LENGTH, read
from app.api.v2.response import answer
from app.api.v2.tensors import FORMS, INPUT, OUTPUTS
from app.serving.models import DigitModel
from app.serving.tensors import probabilities, probabilities_of_encoded

MODEL = "/v2/models/{name}"
VERSION = MODEL + "/versions/{version}"
INLINE_BYTES = 64 * 1024
"""A body up to this size is read on the event loop, in less than 1 ms."""


def _named(name: str) -> None:
    """What a path to a model holds, for the OpenAPI document; its highest version is meant, or the default."""


def _versioned(name: str, version: str) -> None:
    """What a path to a version of a model holds, for the OpenAPI document."""


def _documented(
    asked: schemas.InferenceRequest,
    header_length: Annotated[
        int | None,
        Header(alias=HEADER_LENGTH, description="Bytes of the JSON, where tensors follow it in binary."),
    ] = None,
    x_request_timeout: TimeoutHeader = None,
) -> None:
    """What an inference takes besides, for the OpenAPI document."""


BINARY = {
    "requestBody": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}},
    "responses": {"200": {"content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}}}},
}

router = APIRouter(
    tags=["open inference protocol"],
    route_class=DirectRoute,
    responses={status: {"model": schemas.Failure} for status in ERRORS},
)


@router.get("/v2/", include_in_schema=False)  # KServe's OpenAPI document has it so
@router.get("/v2", response_model=schemas.ServerMetadata, summary="What answers")
async def server_metadata(request: Request) -> Response:
    """Its name, version, and what it can besides the protocol itself."""
    version: str = request.app.version
    return json_answer({"name": "lenet5-serve", "version": version, "extensions": ["binary_tensor_data"]})


@router.head("/v2/health/live", include_in_schema=False)
@router.get("/v2/health/live", response_model=schemas.ServerLive, summary="Whether the process runs")
async def server_live(_: Request) -> Response:
    """200, as `/health/live`."""
    return json_answer({"live": True})


@router.head("/v2/health/ready", include_in_schema=False)
@router.get("/v2/health/ready", response_model=schemas.ServerReady, summary="Whether to send requests here")
async def server_ready(request: Request) -> Response:
    """200 or 503, as `/health/ready`."""
    check_ready(service_of(request).lifecycle)
    return json_answer({"ready": True})


@router.get(VERSION, response_model=schemas.ModelMetadata, dependencies=[Depends(_versioned)], summary="One version")
@router.get(MODEL, response_model=schemas.ModelMetadata, dependencies=[Depends(_named)], summary="A model")
async def model_metadata(request: Request) -> Response:
    """The versions that are served, the tensors that go in and come out.

    The input is described in one of its forms; it may as well be UINT8 [n,32,32], FP32 [n,1,32,32] or BYTES [n].
    """
    model = _model(request)
    served = service_of(request).engine.registry.served
    return json_answer(
        {
            "name": model.name,
            "versions": [str(one.version) for one in served if (one.name, one.task) == (model.name, "digit")],
            "platform": model.backend.name,
            "inputs": [{"name": INPUT, "datatype": "UINT8", "shape": [-1, *FORMS["UINT8"][0]]}],
            "outputs": [
                {"name": name, "datatype": datatype, "shape": [-1, *row]} for name, (datatype, row) in OUTPUTS.items()
            ],
        }
    )


@router.get(
    VERSION + "/ready",
    response_model=schemas.ModelReady,
    dependencies=[Depends(_versioned)],
    summary="Whether a version answers",
)
@router.get(
    MODEL + "/ready",
    response_model=schemas.ModelReady,
    dependencies=[Depends(_named)],
    summary="Whether a model answers",
)
async def model_ready(request: Request) -> Response:
    """200, 503 once draining, or 404."""
    model = _model(request)
    check_ready(service_of(request).lifecycle)
    return json_answer({"name": model.name, "ready": True})


@router.post(
    VERSION + "/infer",
    response_model=schemas.InferenceResponse,
    dependencies=[Depends(_versioned), Depends(_documented)],
    openapi_extra=BINARY,
    summary="The digits in a tensor, by one version",
)
@router.post(
    MODEL + "/infer",
    response_model=schemas.InferenceResponse,
    dependencies=[Depends(_named), Depends(_documented)],
    openapi_extra=BINARY,
    summary="The digits in a tensor",
)
async def infer(request: Request) -> Response:
    """`images`: UINT8 [n,28,28] or [n,32,32] in MNIST's form, FP32 [n,1,32,32] of ink 0 to 1, or BYTES [n] of encoded
    pictures. `digit`: INT64 [n]; `probabilities`: FP32 [n,10], given that it is a digit.
    """
    service, model = service_of(request), _model(request)
    with service.engine.admission.admit(model) as ticket:
        async with deadline(patience(request)):
            body = await tensors(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            reading = partial(read, body, request.headers.get(HEADER_LENGTH), service.limits.max_tensor_rows)
            asked = reading() if len(body) <= INLINE_BYTES else await service.engine.in_bulk(reading)
            async with deadline(asked.timeout):
                with WhileConnected(request):
                    if isinstance(asked.images, list):
                        found = await probabilities_of_encoded(asked.images, ticket, service.engine, model)
                    else:
                        found = await probabilities(asked.images, model)
        return answer(asked, found, model)


def _model(request: Request) -> DigitModel:
    """The model that the path names; raises UnknownModel."""
    return service_of(request).engine.digit_model(":".join(request.path_params.values()))
