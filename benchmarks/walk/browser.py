"""The page and /docs in Chromium, which can reach nothing but the service."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from benchmarks.walk.journey import NotSo, Skipped

if TYPE_CHECKING:
    from playwright.sync_api import Page, Request, Route

SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
"""The corners of a 7, as shares of the pad's sides."""
PATIENCE = 20_000  # milliseconds


@contextmanager
def opened(url: str) -> Iterator[Page]:
    """A page without a network: what it asks for elsewhere is cut off. Raises Skipped without a browser.

    Raises NotSo for a request elsewhere and for a complaint in the console.
    """
    try:
        from playwright.sync_api import TimeoutError as TooLate  # noqa: PLC0415 - may be missing
        from playwright.sync_api import sync_playwright  # noqa: PLC0415 - likewise
    except ModuleNotFoundError:
        raise Skipped("Playwright is not installed") from None
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if chromium is None:
        raise Skipped("there is no Chromium")
    wrong: list[str] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.set_default_timeout(PATIENCE)
        page.on("console", lambda said: wrong.append(said.text) if said.type in ("error", "warning") else None)

        def elsewhere(address: str) -> bool:
            return not address.startswith((f"{url}/", "blob:", "data:"))

        def cut(route: Route, request: Request) -> None:
            wrong.append(f"asks for {request.url}")
            route.abort()

        page.route(elsewhere, cut)
        try:
            yield page
        except TooLate as error:
            raise NotSo(error.message.splitlines()[0]) from None
        finally:
            browser.close()
    if wrong:
        raise NotSo("; ".join(wrong))


def draw(page: Page, url: str) -> list[str]:
    """Draw a 7 on the page at `/`; what it then says."""
    page.goto(f"{url}/")
    box = page.locator("canvas").first.bounding_box()
    if box is None:
        raise NotSo("there is nothing to draw on")
    (x, y), *rest = ((box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN)
    page.mouse.move(x, y)
    page.mouse.down()
    for x, y in rest:
        page.mouse.move(x, y, steps=8)
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('#digit').textContent === '7'")
    return [page.inner_text(f"#{part}") for part in ("digit", "accepted", "time-total")]


def execute(page: Page, url: str, picture: Path) -> list[str]:
    """Execute `POST /predict` in /docs with a picture; the status and the body that it shows."""
    page.goto(f"{url}/docs")
    endpoint = page.locator(".opblock-post").first
    endpoint.locator(".opblock-summary").click()
    endpoint.get_by_text("Try it out").click()
    endpoint.locator("input[type=file]").set_input_files(picture)
    endpoint.get_by_text("Execute", exact=True).click()
    shown = endpoint.locator(".live-responses-table .response")
    status = shown.locator(".response-col_status").inner_text().split()[0]
    return [status, " ".join(shown.locator(".highlight-code code").first.inner_text().split())]
