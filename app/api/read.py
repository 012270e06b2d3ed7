"""`/read` and `/read/batch`: pictures of whole fields."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from lenet5_client.schemas import BatchReadResponse, ReadResponse
from pydantic import ValidationError

from app.api.bodies import many_fields, one_field
from app.api.caller import TimeoutHeader, WhileConnected, deadline, patience
from app.api.errors import invalid_parameter
from app.api.routes import ERRORS, FILE, DirectRoute, body, json_answer, model_ref
from app.api.service import Service, service_of
from app.errors import InvalidParameter, ServiceError
from app.serving.engine import FieldAnswer, FieldJob
from app.serving.field_answer import format_of, read_response
from app.serving.field_options import FieldOptions, FieldRequest
from app.serving.models import FieldModel

FORMAT: Final = frozenset({"kind", "country", "length", "min_length", "max_length", "pattern", "check"})
ERRORS_ALLOWED: Final = frozenset({"target_error", "threshold"})
"""Options that one picture of a batch says anew together, so that what the query says of them does not contradict."""


def _documented(asked: Annotated[FieldRequest, Query()], x_request_timeout: TimeoutHeader = None) -> None:
    """What the routes here take besides a body, for the OpenAPI document."""


router = APIRouter(tags=["read"], route_class=DirectRoute, dependencies=[Depends(_documented)])


@router.post(
    "/read",
    response_model=ReadResponse,
    responses=ERRORS,
    openapi_extra=body("file", FILE, allowed="The strings that may occur, one a line."),
    summary="The text of one field",
)
async def read(request: Request) -> Response:
    """One picture of one line of digits, as the raw body or the form field `file`."""
    service = service_of(request)
    asked = _asked(dict(request.query_params))
    model = service.engine.field_model(asked.model)
    with service.engine.admission.admit(model) as ticket:
        async with deadline(patience(request)):
            sent = await one_field(request, service.limits, ticket, {"allowed"})
            ticket.reserve(pictures=1)
            job = _job(sent.pictures[0], asked, sent.texts.get("allowed"))
            with WhileConnected(request):
                answer = await service.engine.read_field(job, ticket, model)
        return json_answer(_answer(answer, asked, model, service), answer.timing)


@router.post(
    "/read/batch",
    response_model=BatchReadResponse,
    responses=ERRORS,
    openapi_extra=body(
        "files",
        {"type": "array", "items": FILE},
        options="A JSON list with an object of options, or null, for each picture; they win over the query's.",
        allowed="The strings that may occur, one a line.",
    ),
    summary="The texts of many fields",
)
async def read_batch(request: Request) -> Response:
    """Many pictures as repeated form fields `files`; a bad one spoils only its own place in `results`."""
    service = service_of(request)
    query = dict(request.query_params)
    model = service.engine.field_model(_asked(query).model)
    with service.engine.admission.admit(model) as ticket:
        async with deadline(patience(request)):
            sent = await many_fields(request, service.limits, ticket, {"options", "allowed"})
            ticket.reserve(pictures=len(sent.pictures))
            options = [_own(query, own) for own in _options(sent.texts.get("options"), len(sent.pictures))]
            jobs = [
                _job(data, own, sent.texts.get("allowed"))
                for data, own in zip(sent.pictures, options, strict=True)
                if isinstance(own, FieldOptions)
            ]
            with WhileConnected(request):
                answers = iter(await service.engine.read_fields(jobs, ticket, model))
        results = [
            own.body() if isinstance(own, ServiceError) else _placed(next(answers), own, model, service)
            for own in options
        ]
        return json_answer({"results": results, "model": model_ref(model)})


def _asked(query: Mapping[str, Any]) -> FieldRequest:
    """What the query says; raises InvalidParameter."""
    try:
        return FieldRequest.model_validate(query)
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0]) from None


def _options(given: str | None, pictures: int) -> Sequence[Mapping[str, Any]]:
    """The options of each picture; raises InvalidParameter for what is no list of as many objects."""
    if given is None:
        return [{}] * pictures
    try:
        options = orjson.loads(given)
    except orjson.JSONDecodeError as error:
        raise InvalidParameter(f"The part options is no JSON: {error}.", parameter="options") from None
    if not isinstance(options, list) or not all(own is None or isinstance(own, dict) for own in options):
        raise InvalidParameter("The part options is a JSON list of objects, or nulls.", parameter="options")
    if len(options) != pictures:
        raise InvalidParameter(
            f"The part options has {len(options)} places for {pictures} pictures.",
            parameter="options",
            options=len(options),
            pictures=pictures,
        )
    return [own or {} for own in options]


def _own(query: Mapping[str, Any], own: Mapping[str, Any]) -> FieldOptions | ServiceError:
    """One picture's options over the query's, or what is wrong with them."""
    silenced = {name for group in (FORMAT, ERRORS_ALLOWED) if group & own.keys() for name in group}
    kept = {name: value for name, value in query.items() if name in FieldOptions.model_fields and name not in silenced}
    try:
        return FieldOptions.model_validate({**kept, **own})
    except ValidationError as error:
        return invalid_parameter(error.errors()[0])
    except InvalidParameter as error:
        return error


def _job(data: bytes, asked: FieldOptions, allowed: str | None) -> FieldJob:
    return FieldJob(data, partial(format_of, asked, allowed), asked.n_best, asked.debug)


def _placed(
    answer: FieldAnswer | ServiceError, asked: FieldOptions, model: FieldModel, service: Service
) -> dict[str, Any]:
    return answer.body() if isinstance(answer, ServiceError) else _answer(answer, asked, model, service)


def _answer(answer: FieldAnswer, asked: FieldOptions, model: FieldModel, service: Service) -> dict[str, Any]:
    """The wire's `ReadResponse`, which is counted."""
    ref = model_ref(model)
    found = read_response(
        answer.reading,
        answer.proposal,
        answer.format,
        asked,
        weights=model.calibrations.of(answer.format.kind),
        model=ref,
    )
    service.metrics.decided(ref["name"], ref["version"], found["confidence"], accepted=found["accepted"])
    return found
