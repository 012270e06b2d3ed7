"""`/predict` and `/predict/batch`: pictures of single digits."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from lenet5_client.schemas import BatchPrediction, Prediction
from pydantic import BaseModel, Field, ValidationError

from app.api.bodies import many_pictures, one_picture
from app.api.caller import TimeoutHeader, WhileConnected, deadline, patience
from app.api.errors import invalid_parameter
from app.api.routes import ERRORS, FILE, DirectRoute, body, json_answer, model_ref
from app.api.service import Service, service_of
from app.errors import InvalidParameter, ServiceError
from app.serving.engine import Classification
from app.serving.models import DigitModel


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


router = APIRouter(tags=["predict"], route_class=DirectRoute, dependencies=[Depends(_documented)])


def _asked(request: Request, service: Service) -> tuple[DigitModel, float | None]:
    """The model and the threshold that the query asks for; raises InvalidParameter and UnknownModel."""
    if not request.scope["query_string"]:
        return service.engine.digit_model(None), None
    try:
        asked = Asked.model_validate(dict(request.query_params))
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0]) from None
    if asked.threshold is not None and asked.target_error is not None:
        raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")
    model = service.engine.digit_model(asked.model)
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
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            data = await one_picture(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            with WhileConnected(request):
                result = await service.engine.classify(data, ticket, model, threshold=threshold)
        return json_answer(_prediction(result, model), result.timing)


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
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            pictures = await many_pictures(request, service.limits, ticket)
            ticket.reserve(pictures=len(pictures))
            with WhileConnected(request):
                results = await service.engine.classify_many(pictures, ticket, model, threshold=threshold)
        answers = [
            result.body() if isinstance(result, ServiceError) else _prediction(result, model) for result in results
        ]
        return json_answer({"results": answers, "model": model_ref(model)})


def _prediction(result: Classification, model: DigitModel) -> dict[str, Any]:
    """The wire's `Prediction`, built by hand: validating our own answers through pydantic would cost more than them."""
    return {
        "digit": result.digit,
        "confidence": result.confidence,
        "probabilities": result.probabilities,
        "accepted": result.accepted,
        "reasons": result.reasons,
        "model": model_ref(model),
    }
