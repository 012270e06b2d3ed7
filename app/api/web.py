"""The web page at `/`, its files, the page of the interactive documentation and the document that it shows."""

import json
import mimetypes
from pathlib import Path
from typing import Final

from fastapi import APIRouter, FastAPI, Request
from fastapi.responses import Response

from app.api.assets import Asset
from app.errors import NotFound

STATIC: Final = Path(__file__).parents[1] / "static"


def pages(static: Path = STATIC) -> APIRouter:
    """The routes of the page, whose files are read here, once; nothing else can be had by a path."""
    assets = {
        path.relative_to(static).as_posix(): Asset.of(path.read_bytes(), _media_type(path))
        for path in sorted(static.rglob("*"))
        if path.is_file()
    }
    router = APIRouter(include_in_schema=False)

    @router.head("/")
    @router.get("/")
    async def index(request: Request) -> Response:
        return assets["index.html"].answer(request)

    @router.head("/docs")
    @router.get("/docs")
    async def documentation(request: Request) -> Response:
        return assets["docs.html"].answer(request)

    @router.head("/static/{name:path}")
    @router.get("/static/{name:path}")
    async def file(request: Request, name: str) -> Response:
        if name not in assets:
            raise NotFound("There is nothing at this path; the page is at /.", path=request.scope["path"])
        return assets[name].answer(request)

    return router


def write_document_once(app: FastAPI) -> None:
    """Answer the OpenAPI document from bytes: FastAPI's own route writes it anew for each caller, for over 1 ms."""
    url, written = app.openapi_url, list[Asset]()
    app.router.routes[:] = [route for route in app.router.routes if getattr(route, "path", None) != url]

    async def document(request: Request) -> Response:
        if not written:
            written.append(Asset.of(json.dumps(app.openapi(), separators=(",", ":")).encode(), "application/json"))
        return written[0].answer(request)

    app.add_route(url or "/openapi.json", document, include_in_schema=False)


def _media_type(path: Path) -> str:
    """By the name's ending, whatever the machine's own table of types says of scripts."""
    known = {".js": "text/javascript", ".css": "text/css", ".html": "text/html"}
    if path.suffix in known:
        return known[path.suffix] + "; charset=utf-8"
    return mimetypes.guess_type(path.name)[0] or "application/octet-stream"
