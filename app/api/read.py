"""`/read` and `/read/batch`: pictures of whole fields."""

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Annotated, Any, Final

import orjson
from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from lenet5_client.schemas import BatchReadResponse, FieldKind, ReadResponse
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from app.api.bodies import many_fields, one_field
from app.api.caller import TimeoutHeader, deadline, patience, while_connected
from app.api.errors import invalid_parameter
from app.api.routes import ERRORS, FILE, DirectRoute, body, json_answer, model_ref
from app.api.service import service_of
from app.errors import InvalidParameter, ServiceError
from app.fields.formats import field_format
from app.serving.engine import FieldAnswer, FieldJob
from app.serving.models import FieldModel

TARGET_ERROR: Final = 0.01
"""Of a request that says nothing of errors."""

Length = Annotated[int | None, Field(ge=1, le=64)]
Share = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)]


class FieldOptions(BaseModel):
    """What is said of one field."""

    model_config = ConfigDict(extra="forbid")

    kind: FieldKind = Field("digits", description="What the field holds.")
    country: str | None = Field(
        None, max_length=2, description="Of a postal code, and needed for one: ISO 3166-1 alpha-2."
    )
    length: Length = Field(None, description="How many digits there are.")
    min_length: Length = Field(None, description="The least number of digits; 1 by default.")
    max_length: Length = Field(None, description="The largest number of digits; by default any.")
    pattern: str | None = Field(
        None,
        max_length=300,
        description=(
            "Of digits: `#` any digit, `7` that digit, `[0-3]` one of these, `( | )` one or the other, and `?`, `*`, "
            "`+`, `{3}`, `{2,4}` for how often what stands before; marks such as `-` and `/` may be written and count "
            "for nothing. Instead of a length."
        ),
    )
    expected: str | None = Field(None, max_length=100, description="A text whose probability is wanted.")
    n_best: int = Field(5, ge=1, le=50, description="How many alternatives at most.")
    debug: bool = Field(False, description="Answer with the segmentation graph too.")
    target_error: Share = Field(
        None,
        description=(
            f"Accept texts of so much confidence that at most this share of what is accepted is wrong; by default "
            f"{TARGET_ERROR}. Not together with `threshold`."
        ),
    )
    threshold: Share = Field(None, description="Accept texts of at least this confidence.")


class Asked(FieldOptions):
    """The query of a reading."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = Field(None, max_length=200, description="`name` or `name:version`.")


FORMAT: Final = frozenset({"kind", "country", "length", "min_length", "max_length", "pattern"})
ERRORS_ALLOWED: Final = frozenset({"target_error", "threshold"})
"""Options that one picture of a batch says anew together, so that what the query says of them does not contradict."""


def _documented(asked: Annotated[Asked, Query()], x_request_timeout: TimeoutHeader = None) -> None:
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
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            sent = await one_field(request, service.limits, ticket, {"allowed"})
            ticket.reserve(pictures=1)
            job = _job(sent.pictures[0], asked, sent.texts.get("allowed"))
            async with while_connected(request):
                answer = await service.engine.read_field(job, ticket, model)
        return json_answer(_answer(answer, asked, model), answer.timing)


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
    with service.engine.admission.admit() as ticket:
        async with deadline(patience(request)):
            sent = await many_fields(request, service.limits, ticket, {"options", "allowed"})
            ticket.reserve(pictures=len(sent.pictures))
            options = [_own(query, own) for own in _options(sent.texts.get("options"), len(sent.pictures))]
            jobs = [
                _job(data, own, sent.texts.get("allowed"))
                for data, own in zip(sent.pictures, options, strict=True)
                if isinstance(own, FieldOptions)
            ]
            async with while_connected(request):
                answers = iter(await service.engine.read_fields(jobs, ticket, model))
        results = [
            own.body() if isinstance(own, ServiceError) else _placed(next(answers), own, model) for own in options
        ]
        return json_answer({"results": results, "model": model_ref(model)})


def _asked(query: Mapping[str, Any]) -> Asked:
    """What the query says; raises InvalidParameter."""
    try:
        asked = Asked.model_validate(query)
    except ValidationError as error:
        raise invalid_parameter(error.errors()[0]) from None
    _check(asked)
    return asked


def _check(asked: FieldOptions) -> None:
    if asked.threshold is not None and asked.target_error is not None:
        raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")


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
        options = FieldOptions.model_validate({**kept, **own})
        _check(options)
    except ValidationError as error:
        return invalid_parameter(error.errors()[0])
    except InvalidParameter as error:
        return error
    return options


def _job(data: bytes, asked: FieldOptions, allowed: str | None) -> FieldJob:
    make_format = partial(
        field_format,
        asked.kind,
        country=asked.country,
        length=asked.length,
        min_length=asked.min_length,
        max_length=asked.max_length,
        pattern=asked.pattern,
        allowed=None if allowed is None else tuple(allowed.splitlines()),
        expected=asked.expected,
    )
    return FieldJob(data, make_format, asked.n_best, asked.debug)


def _placed(answer: FieldAnswer | ServiceError, asked: FieldOptions, model: FieldModel) -> dict[str, Any]:
    return answer.body() if isinstance(answer, ServiceError) else _answer(answer, asked, model)


def _answer(answer: FieldAnswer, asked: FieldOptions, model: FieldModel) -> dict[str, Any]:
    """The wire's `ReadResponse`."""
    reading, proposal, field = answer.reading, answer.proposal, answer.format
    target_error = None
    threshold = asked.threshold
    if threshold is None:
        target_error = TARGET_ERROR if asked.target_error is None else asked.target_error
        threshold = model.weights.threshold(target_error)
    reasons: list[str] = list(reading.reasons)
    if "blank" not in reasons and "no_digits" not in reasons and reading.confidence < threshold:
        reasons.append("low_confidence")
    found = {
        "text": reading.text,
        "accepted": not reasons,
        "confidence": reading.confidence,
        "reasons": reasons,
        "alternatives": reading.alternatives,
        "characters": [
            {
                "char": one.char,
                "probability": one.probability,
                "box": one.box,
                "alternatives": [{"char": other.text, "probability": other.probability} for other in one.alternatives],
            }
            for one in reading.characters
        ],
        "threshold": threshold,
        "target_error": target_error,
        "field": {"kind": field.kind, "country": field.country, "valid": reading.valid},
        "image": {
            "width": proposal.width,
            "height": proposal.height,
            "polarity": proposal.line.polarity,
            "skew_degrees": proposal.line.skew_degrees,
            "slant_degrees": proposal.line.slant_degrees,
        },
        "model": model_ref(model),
    }
    if field.expected is not None:
        found["expected"] = {"text": field.expected, "probability": reading.expected}
    if reading.graph is not None:
        found["debug"] = reading.graph
    return found
