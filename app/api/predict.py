"""`/predict` and `/predict/batch`: pictures of single digits."""

from collections.abc import Callable, Coroutine
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from fastapi.routing import APIRoute
from lenet5_client.schemas import BatchPrediction, ErrorBody, Prediction
from pydantic import BaseModel, Field, ValidationError

from app.api.bodies import FORM_TYPE, PICTURE_TYPES, many_pictures, one_picture
from app.api.caller import TimeoutHeader, deadline, patience, while_connected
from app.api.errors import invalid_parameter
from app.api.service import Service, service_of
from app.errors import InvalidParameter, ServiceError
from app.serving.engine import Classification, DigitModel, Timing


class Asked(BaseModel):
    """The query of a prediction."""

    model: str | None = Field(None, max_length=200, description="`name` or `name:version`.")
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Accept digits of at least this confidence; by default of the model's own threshold.",
    )
    target_error: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description=(
            "Accept digits of so much confidence that at most this share of what is accepted is wrong, as measured on "
            "the digits that the model was calibrated on; 0 accepts nothing. Not together with `threshold`, and 422 "
            "for a model without a calibration."
        ),
    )


def _documented(asked: Annotated[Asked, Query()], x_request_timeout: TimeoutHeader = None) -> None:
    """What the routes here take besides a body, for the OpenAPI document."""


class DirectRoute(APIRoute):
    """Calls its endpoint with the request and nothing else.

    FastAPI would go through the parameters anew for each request, which takes longer than all that we do: 350 of 640
    microseconds. `_documented` says them for the OpenAPI document, `_asked` checks them against the same model.
    """

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """FastAPI's hook for a route's own handling of requests."""
        handler: Callable[[Request], Coroutine[Any, Any, Response]] = self.endpoint
        return handler


router = APIRouter(tags=["predict"], route_class=DirectRoute, dependencies=[Depends(_documented)])


def _asked(request: Request, service: Service) -> tuple[DigitModel, float | None]:
    """The model and the threshold that the query asks for; raises InvalidParameter and UnknownModel."""
    if not request.scope["query_string"]:
        return service.engine.model(None), None
    try:
        asked = Asked.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0]) from None
    if asked.threshold is not None and asked.target_error is not None:
        raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")
    model = service.engine.model(asked.model)
    if asked.target_error is None:
        return model, asked.threshold
    try:
        return model, model.calibration.threshold_for(asked.target_error)
    except ValueError:
        raise InvalidParameter(
            f"The model {model.name}:{model.version} has no calibration, so target_error cannot be met; "
            "give threshold.",
            parameter="target_error",
        ) from None


def _body(field: str, schema: dict[str, Any]) -> dict[str, Any]:
    """The OpenAPI description of a request body: a raw picture, or a form with `field`."""
    picture = {"schema": {"type": "string", "format": "binary"}}
    form = {"schema": {"type": "object", "properties": {field: schema}, "required": [field]}}
    return {"requestBody": {"required": True, "content": dict.fromkeys(PICTURE_TYPES, picture) | {FORM_TYPE: form}}}


FILE = {"type": "string", "format": "binary"}
ERRORS: dict[int | str, dict[str, Any]] = {
    status: {"model": ErrorBody} for status in (400, 404, 405, 408, 413, 415, 422, 429, 431, 500, 503, 504)
}


@router.post(
    "/predict",
    response_model=Prediction,
    responses=ERRORS,
    openapi_extra=_body("file", FILE),
    summary="The digit in one picture",
)
async def predict(request: Request) -> Response:
    """One picture of one digit, of any size and kind, as the raw body or the form field `file`."""
    service = service_of(request)
    model, threshold = _asked(request, service)
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            data = await one_picture(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            async with while_connected(request):
                result = await service.engine.classify(data, ticket, model, threshold=threshold)
        return _json(_prediction(result, model), result.timing)


@router.post(
    "/predict/batch",
    response_model=BatchPrediction,
    responses=ERRORS,
    openapi_extra=_body("files", {"type": "array", "items": FILE}),
    summary="The digits in many pictures",
)
async def predict_batch(request: Request) -> Response:
    """Many pictures as repeated form fields `files`; a bad one spoils only its own place in `results`."""
    service = service_of(request)
    model, threshold = _asked(request, service)
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            pictures = await many_pictures(request, service.limits, ticket)
            ticket.reserve(pictures=len(pictures))
            async with while_connected(request):
                results = await service.engine.classify_many(pictures, ticket, model, threshold=threshold)
        answers = [
            result.body() if isinstance(result, ServiceError) else _prediction(result, model) for result in results
        ]
        return _json({"results": answers, "model": _model(model)})


def _model(model: DigitModel) -> dict[str, str]:
    return {"name": model.name, "version": str(model.version)}


def _prediction(result: Classification, model: DigitModel) -> dict[str, Any]:
    """The wire's `Prediction`, built by hand: validating our own answers through pydantic would cost more than them."""
    return {
        "digit": result.digit,
        "confidence": result.confidence,
        "probabilities": result.probabilities,
        "accepted": result.accepted,
        "reasons": result.reasons,
        "model": _model(model),
    }


def _json(body: dict[str, Any], timing: Timing | None = None) -> Response:
    headers = {}
    if timing is not None:  # W3C Server Timing, in milliseconds
        headers["Server-Timing"] = (
            f"decode;dur={timing.decode * 1e3:.3f}, queue;dur={timing.queue * 1e3:.3f}, "
            f"infer;dur={timing.infer * 1e3:.3f}"
        )
    return Response(orjson.dumps(body), headers=headers, media_type="application/json")
