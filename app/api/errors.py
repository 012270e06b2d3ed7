"""Every error in the one shape that callers rely on: `{"error": {"code", "message", "details"}}`."""

from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import InvalidParameter, MalformedRequest, MethodNotAllowed, NotFound, ServiceError


def error_response(error: ServiceError) -> Response:
    """The answer to an error."""
    return Response(orjson.dumps(error.body(), default=str), error.status, error.headers, media_type="application/json")


def install(app: FastAPI) -> None:
    """Answer what the framework raises in our shape; what we raise ourselves is the middleware's."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        if error.status_code == NotFound.status:
            return error_response(NotFound("There is nothing at this path.", path=request.url.path))
        if error.status_code == MethodNotAllowed.status:
            allowed = (error.headers or {}).get("Allow", "")
            return error_response(MethodNotAllowed("This path does not take this method.", allowed=allowed))
        return error_response(MalformedRequest(f"The request cannot be understood: {error.detail}"))

    async def invalid(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
        first: dict[str, Any] = error.errors()[0]
        name = str(first["loc"][-1])
        message = f"The parameter {name} is wrong: {first['msg'][0].lower()}{first['msg'][1:]}."
        return error_response(InvalidParameter(message, parameter=name, value=first.get("input")))

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
