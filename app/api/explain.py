"""`/explain`: what the network sees in a picture of a single digit."""

from typing import Annotated

from fastapi import APIRouter, Query, Request
from fastapi.responses import Response

from app.api.bodies import one_picture
from app.api.caller import TimeoutHeader, WhileConnected, deadline
from app.api.explanations import Explanation
from app.api.routes import ERRORS, FILE, JsonAnswer, body, model_ref
from app.api.service import ServiceDep
from app.serving import explanation

router = APIRouter(tags=["predict"])


@router.post(
    "/explain",
    response_model=Explanation,
    responses=ERRORS,
    openapi_extra=body("file", FILE),
    summary="How the digit in one picture is read",
)
async def explain(
    request: Request,
    service: ServiceDep,
    model: Annotated[str | None, Query(max_length=200, description="`name` or `name:version`.")] = None,
    x_request_timeout: TimeoutHeader = None,
) -> Response:
    """The prediction, the steps of the normalisation as pictures, and what each layer of the network gives.

    The picture comes as for `/predict`. The layers are worked out from the model's weights as they are, not by what
    serves: their last digits may differ.
    """
    network = service.engine.digit_model(model)
    with service.engine.admission.admit(network) as ticket:
        async with deadline(x_request_timeout):
            data = await one_picture(request, service.limits, ticket)
            ticket.reserve(pictures=1)
            with WhileConnected(request):
                found = await explanation.explain(service.engine, data, ticket, network, model_ref(network))
        return JsonAnswer(found)
