"""A real browser before a real service, and a visit that notes whatever it complains of."""

import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.server.running import Running, command
from tests.web.visit import Visit

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
REASON = "there is no Chromium (Debian: apt-get install chromium)"
DESK = {"width": 1280, "height": 720}


@pytest.fixture(scope="module")  # while it runs, pytest's own event loops can't
def chromium() -> Iterator[Any]:
    """The browser."""
    if CHROMIUM is None:
        pytest.skip(REASON)
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


def start(log: Path, port: int = 0) -> Running:
    """`lenet5 serve` with the shipped weights."""
    with log.open("w") as out:
        process = subprocess.Popen(
            [*command(port=port), "--drain-timeout", "1"], stdout=out, stderr=subprocess.PIPE, text=True
        )
    return Running(process, log)


def end(service: Running) -> None:
    service.process.kill()
    service.process.wait()
    service.process.stderr.close()


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """One service for all tests that leave it as it is."""
    running = start(tmp_path_factory.mktemp("service") / "log")
    yield running
    end(running)


@pytest.fixture
def visit(chromium: Any, service: Running) -> Iterator[Callable[..., Visit]]:
    """`visit(path, ...)` opens the page; what the browser complains of, or asks elsewhere for, fails the test."""
    visits: list[Visit] = []

    def go(path: str = "", *, url: str = service.url, viewport: dict[str, int] = DESK, **options: Any) -> Visit:
        context = chromium.new_context(viewport=viewport, **options)
        context.set_default_timeout(30_000)
        opened = Visit(context, url)
        visits.append(opened)
        opened.page.goto(f"{url}/{path}")
        return opened

    yield go
    for opened in visits:
        opened.context.close()
    assert [complaint for opened in visits for complaint in opened.complaints] == []
    assert [address for opened in visits for address in opened.elsewhere] == []
