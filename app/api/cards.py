"""The cards of the served models, as pages: what MODEL_CARD.md says, with its pictures."""

import asyncio
import re
from functools import lru_cache
from html import escape
from pathlib import Path
from string import Template
from typing import Final

from fastapi import APIRouter, Request
from fastapi.responses import Response
from lenet5_client.schemas import ErrorBody
from markdown_it import MarkdownIt
from markdown_it.token import Token

from app.api.assets import Asset
from app.api.routes import answers
from app.api.service import ServiceDep
from app.errors import NotFound
from app.lenet.registry import ServedModel

CARD: Final = "MODEL_CARD.md"
PICTURES: Final = frozenset(
    {"confusion.png", "learning_curve.png", "misread.png", "reject_curve.png", "reliability.png", "sets.png"}
)
FRONT_MATTER: Final = re.compile(r"\A---\n.*?\n---\n", re.DOTALL)  # for hubs of models

PAGE: Final = Template("""<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <meta name="color-scheme" content="light dark">
    <title>$model: model card</title>
    <link rel="icon" href="../../../static/icon.svg" type="image/svg+xml">
    <link rel="stylesheet" href="../../../static/style.css">
    <link rel="stylesheet" href="../../../static/model.css">
  </head>
  <body>
    <main class="column">
      <h1>Model card</h1>
      <article class="card">
$card      </article>
    </main>
  </body>
</html>
""")

router = APIRouter(
    prefix="/models/{name}/{version}",
    tags=["operations"],
    responses={status: {"model": ErrorBody} for status in (404, 500, 503)},
)


@router.get("/card", summary="A model's card", response_class=Response, responses=answers("text/html"))
async def card(request: Request, service: ServiceDep, name: str, version: str) -> Response:
    """What a model is for, how good it is and what it was made from, as a page."""
    model = service.engine.registry.resolve(f"{name}:{version}", None)
    return (await asyncio.to_thread(_card, model)).answer(request)


@router.get(
    "/card/{picture}", summary="A picture of a model's card", response_class=Response, responses=answers("image/png")
)
async def card_picture(request: Request, service: ServiceDep, name: str, version: str, picture: str) -> Response:
    """One of the pictures that the card shows: a PNG."""
    model = service.engine.registry.resolve(f"{name}:{version}", None)
    if picture not in PICTURES:
        raise NotFound("A card has no such picture.", known=sorted(PICTURES))
    content = await asyncio.to_thread(_read, model, picture)
    return Asset.of(content, "image/png").answer(request)


def _card(model: ServedModel) -> Asset:
    return _page(model.spec, _read(model, CARD))


@lru_cache(maxsize=32)  # making one takes some 15 ms
def _page(spec: str, card: bytes) -> Asset:
    text = FRONT_MATTER.sub("", card.decode(errors="replace"))
    page = PAGE.substitute(model=escape(spec), card=rendered(text))
    return Asset.of(page.encode(), "text/html; charset=utf-8")


def _read(model: ServedModel, file: str) -> bytes:
    try:
        return (model.folder / file).read_bytes()
    except OSError:
        raise NotFound(f"The model {model.spec} has no {Path(file).name}.") from None


def rendered(markdown: str) -> str:
    """A card as HTML under a strict policy: markup in it is shown as text, and nothing has a style of its own."""
    parser = MarkdownIt("commonmark", {"html": False}).enable("table")
    tokens = parser.parse(markdown)
    for token in tokens:
        if token.tag in ("h1", "h2", "h3", "h4", "h5"):
            token.tag = f"h{int(token.tag[1]) + 1}"  # below the page's own
        elif token.type in ("th_open", "td_open"):
            token.attrs = {"class": "number"} if "right" in str(token.attrs.get("style", "")) else {}
        elif token.type == "inline":
            _place_pictures(token.children or [])
    for before, inside, after in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if before.type == "th_open" and not inside.content:
            before.tag = after.tag = "td"  # heads no column
    html: str = parser.renderer.render(tokens, parser.options, {})
    wide = '<div class="wide" tabindex="0" role="group" aria-label="Table"><table>'
    return html.replace("<table>", wide).replace("</table>", "</table></div>")


def _place_pictures(tokens: list[Token]) -> None:
    """The card names its pictures as files beside it; here they are below it."""
    for token in tokens:
        if token.type == "image":
            token.attrs = {**token.attrs, "src": f"card/{token.attrs.get('src', '')}", "loading": "lazy"}
