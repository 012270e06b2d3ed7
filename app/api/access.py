"""Who may call from where: other origins' pages, and what the OpenAPI document says of keys."""

from collections.abc import Callable, Sequence
from typing import Any

from fastapi import FastAPI
from starlette.middleware.cors import CORSMiddleware

EXPOSED = ("X-Request-ID", "Server-Timing", "Retry-After", "WWW-Authenticate", "Inference-Header-Content-Length")
"""Our headers that a page may read beside those that every page may."""
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


def allow_origins(app: FastAPI, origins: Sequence[str]) -> None:
    """Let pages of these origins call from a browser; with none, which is the default, nothing is installed.

    It has to be the outermost middleware, so that refusals too can be read by the page. What a browser asks
    beforehand (OPTIONS, without a key) it answers by itself, and no route sees it.
    """
    if origins:
        app.add_middleware(
            CORSMiddleware,
            allow_origins=origins,
            allow_methods=("GET", "POST"),
            allow_headers=("*",),
            expose_headers=EXPOSED,
        )


def document_keys(app: FastAPI, is_open: Callable[[str], bool]) -> None:
    """Say in the OpenAPI document that every path wants a key, but for those that are open."""
    generate = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            found = generate()
            found.setdefault("components", {})["securitySchemes"] = SCHEMES
            found["security"] = [{scheme: []} for scheme in SCHEMES]
            for path, operations in found["paths"].items():
                for operation in operations.values():
                    if is_open(path):
                        operation["security"] = []
                    else:
                        shape = operation["responses"]["500"]["content"]
                        operation["responses"]["401"] = {"description": "No key, or a wrong one", "content": shape}
        return app.openapi_schema or {}

    app.openapi = document  # type: ignore[method-assign] # FastAPI's own way to change the document
