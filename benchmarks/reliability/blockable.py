"""The service with four workers, as it is but for one address more, which blocks the event loop that it comes to.

    python -m benchmarks.reliability.blockable --port PORT

Each worker runs this module anew, as the standard library's spawn has it.
"""

import argparse
import time
from typing import Any

from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

import app.main
from app.logs import configure
from app.server import bind
from app.settings import Settings
from app.supervisor import Supervisor

PATH = "/-/block"
WORKERS = 4
FOR_GOOD = 3600.0  # seconds

create_app = app.main.create_app


class Blocking:
    """Pure ASGI, round everything."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == PATH:
            time.sleep(FOR_GOOD)  # noqa: ASYNC251 - that is what it is for
        await self._app(scope, receive, send)


def blockable(*arguments: Any, **options: Any) -> FastAPI:
    """The application, with that address."""
    made = create_app(*arguments, **options)
    made.add_middleware(Blocking)
    return made


app.main.create_app = blockable


def main() -> None:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", type=int, required=True)
    settings = Settings(port=parser.parse_args().port, workers=WORKERS, log_format="json")
    configure(level=settings.log_level, form=settings.log_format)
    with bind(settings) as listener:
        Supervisor(settings, listener).run(listening=lambda _: None, leaving=lambda: None)


if __name__ == "__main__":
    main()
