"""The application in process, behind HTTP."""

from collections.abc import AsyncGenerator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from app.logs import configure
from app.main import create_app
from app.settings import Settings

ClientFactory = Callable[..., AbstractAsyncContextManager[httpx.AsyncClient]]


@pytest.fixture(scope="session", autouse=True)
def _logs() -> None:
    """The service's own log, once, as JSON."""
    configure(level="warning", form="json")


@pytest.fixture
def serving(model_dir: Path) -> ClientFactory:
    """`async with serving(name=value)`: a client of the application in process, under those settings."""

    @asynccontextmanager
    async def start(**options: object) -> AsyncGenerator[httpx.AsyncClient]:
        app = create_app(Settings(**{"model_dir": model_dir, "device": "cpu", **options}))
        async with app.router.lifespan_context(app):
            transport = httpx.ASGITransport(app, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://service") as client:
                client.service = app.state.service
                yield client

    return start
