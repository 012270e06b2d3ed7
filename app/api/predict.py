"""`/predict` and `/predict/batch`: pictures of single digits."""

from dataclasses import dataclass
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from lenet5_client.schemas import BatchPrediction, ErrorBody, Prediction

from app.api.bodies import FORM_TYPE, PICTURE_TYPES, many_pictures, one_picture
from app.api.caller import TimeoutHeader, deadline, while_connected
from app.api.service import ServiceDep
from app.errors import InvalidParameter, ServiceError
from app.serving.engine import Classification, DigitModel, Timing

router = APIRouter(tags=["predict"])

Fraction = Annotated[float | None, Query(ge=0, le=1, allow_inf_nan=False)]


@dataclass(frozen=True, slots=True)
class Choice:
    """What the query of a prediction asks for."""

    model: DigitModel
    threshold: float | None


async def _choice(  # async, else FastAPI runs it in a thread: 0.2 ms a request
    service: ServiceDep,
    model: Annotated[str | None, Query(description="`name` or `name:version`.", max_length=200)] = None,
    threshold: Annotated[Fraction, Query(description="Accept answers of at least this confidence.")] = None,
    target_error: Annotated[Fraction, Query(description="Accept so many that this share of them is wrong.")] = None,
) -> Choice:
    if threshold is not None and target_error is not None:
        raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")
    if target_error is not None:
        raise InvalidParameter(
            "This model has no calibration, so target_error cannot be met; give threshold.", parameter="target_error"
        )
    return Choice(service.engine.model(model), threshold)


ChoiceDep = Annotated[Choice, Depends(_choice)]


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
async def predict(request: Request, service: ServiceDep, choice: ChoiceDep, patience: TimeoutHeader = None) -> Response:
    """One picture of one digit, of any size and kind, as the raw body or the form field `file`."""
    with service.engine.admission.admit() as ticket:
        async with deadline(patience):
            data = await one_picture(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            async with while_connected(request):
                result = await service.engine.classify(data, ticket, choice.model, threshold=choice.threshold)
        return _json(_prediction(result, choice.model), result.timing)


@router.post(
    "/predict/batch",
    response_model=BatchPrediction,
    responses=ERRORS,
    openapi_extra=_body("files", {"type": "array", "items": FILE}),
    summary="The digits in many pictures",
)
async def predict_batch(
    request: Request, service: ServiceDep, choice: ChoiceDep, patience: TimeoutHeader = None
) -> Response:
    """Many pictures as repeated form fields `files`; a bad one spoils only its own place in `results`."""
    with service.engine.admission.admit() as ticket:
        async with deadline(patience):
            pictures = await many_pictures(request, service.limits, ticket)
            ticket.reserve(pictures=len(pictures))
            async with while_connected(request):
                results = await service.engine.classify_many(pictures, ticket, choice.model, threshold=choice.threshold)
        answers = [
            result.body() if isinstance(result, ServiceError) else _prediction(result, choice.model)
            for result in results
        ]
        return _json({"results": answers, "model": _model(choice.model)})


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
