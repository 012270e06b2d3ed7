"""Every error in the shape that callers rely on: `{"error": {"code", "message", "details"}}`, one string under /v2."""

from collections.abc import Mapping
from typing import Any

import orjson
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import InvalidParameter, MalformedRequest, MethodNotAllowed, NotFound, ServiceError


def error_response(error: ServiceError, path: str) -> Response:
    """The answer to an error of a request to `path`."""
    body = orjson.dumps(error.body_at(path), default=str)
    return Response(body, error.status, error.headers, media_type="application/json")


def invalid_parameter(found: Mapping[str, Any], name: str | None = None) -> InvalidParameter:
    """The refusal of a parameter, by the first of pydantic's errors."""
    name = name or str(found["loc"][-1])
    message = f"The parameter {name} is wrong: {found['msg'][0].lower()}{found['msg'][1:]}."
    return InvalidParameter(message, parameter=name, value=found.get("input"))


def install(app: FastAPI) -> None:
    """Answer what the framework raises in our shape; what we raise ourselves is the middleware's."""

    async def refused(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
        path = request.scope["path"]
        if error.status_code == NotFound.status:
            return error_response(
                NotFound("There is nothing at this path; /docs lists what there is.", path=path), path
            )
        if error.status_code == MethodNotAllowed.status:
            allowed = (error.headers or {}).get("Allow", "")
            return error_response(MethodNotAllowed("This path does not take this method.", allowed=allowed), path)
        return error_response(MalformedRequest(f"The request cannot be understood: {error.detail}"), path)

    async def invalid(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - what it is registered for
        return error_response(invalid_parameter(error.errors()[0]), request.scope["path"])

    app.add_exception_handler(HTTPException, refused)
    app.add_exception_handler(RequestValidationError, invalid)
