"""`/predict` and `/predict/batch`: pictures of single digits."""

from collections.abc import Mapping
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from lenet5_client.schemas import BatchPrediction, Prediction
from pydantic import ValidationError

from app.api.bodies import many_pictures, one_picture
from app.api.caller import TimeoutHeader, WhileConnected, deadline, patience
from app.api.errors import invalid_parameter
from app.api.routes import ERRORS, FILE, DirectRoute, body, json_answer, model_ref
from app.api.service import Service, service_of
from app.errors import ServiceError
from app.serving.classification import Classification
from app.serving.digit_answer import prediction, threshold_of
from app.serving.digit_options import DigitRequest
from app.serving.models import DigitModel


def _documented(asked: Annotated[DigitRequest, Query()], x_request_timeout: TimeoutHeader = None) -> None:
    """What the routes here take besides a body, for the OpenAPI document."""


router = APIRouter(tags=["predict"], route_class=DirectRoute, dependencies=[Depends(_documented)])


def _asked(request: Request, service: Service) -> tuple[DigitModel, float | None]:
    """The model and the threshold that the query asks for; raises InvalidParameter and UnknownModel."""
    if not request.scope["query_string"]:
        return service.engine.digit_model(None), None
    try:
        asked = DigitRequest.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0]) from None
    model = service.engine.digit_model(asked.model)
    return model, threshold_of(asked, model)


@router.post(
    "/predict",
    response_model=Prediction,
    responses=ERRORS,
    openapi_extra=body("file", FILE),
    summary="The digit in one picture",
)
async def predict(request: Request) -> Response:
    """One picture of one digit, of any size and kind, as the raw body or the form field `file`."""
    service = service_of(request)
    model, threshold = _asked(request, service)
    with service.engine.admission.admit(model) as ticket:
        async with deadline(patience(request)):
            data = await one_picture(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            with WhileConnected(request):
                result = await service.engine.classify(data, ticket, model, threshold=threshold)
        return json_answer(_answer(result, model_ref(model), service), result.timing)


@router.post(
    "/predict/batch",
    response_model=BatchPrediction,
    responses=ERRORS,
    openapi_extra=body("files", {"type": "array", "items": FILE}),
    summary="The digits in many pictures",
)
async def predict_batch(request: Request) -> Response:
    """Many pictures as repeated form fields `files`; a bad one spoils only its own place in `results`."""
    service = service_of(request)
    model, threshold = _asked(request, service)
    with service.engine.admission.admit(model) as ticket:
        async with deadline(patience(request)):
            pictures = await many_pictures(request, service.limits, ticket)
            ticket.reserve(pictures=len(pictures))
            with WhileConnected(request):
                results = await service.engine.classify_many(pictures, ticket, model, threshold=threshold)
        ref = model_ref(model)
        answers = [
            result.body() if isinstance(result, ServiceError) else _answer(result, ref, service) for result in results
        ]
        return json_answer({"results": answers, "model": ref})


def _answer(result: Classification, model: Mapping[str, str], service: Service) -> dict[str, Any]:
    """The wire's `Prediction`, which is counted."""
    service.metrics.decided(model["name"], model["version"], result.confidence, accepted=result.accepted)
    return prediction(result, model)
