"""Photographs the page of a service that runs, for page-*.png beside this file.

    lenet5 serve & python docs/figures/photograph_page.py http://127.0.0.1:8000

Needs playwright (the extra dev) and Debian's chromium.
"""

import io
import shutil
import sys
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
DESK: Any = {"width": 1280, "height": 720}
PHONE: Any = {"width": 360, "height": 740}
COLOURS = 128


def draw(page: Page) -> None:
    """A seven, with the mouse, and wait until it is read."""
    box: Any = page.locator("canvas").first.bounding_box()
    for number, (x, y) in enumerate(SEVEN):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=8)
        if number == 0:
            page.mouse.down()
    page.mouse.up()
    page.wait_for_function("() => document.querySelector('#digit').textContent === '7'")
    page.wait_for_timeout(500)


def keep(picture: bytes, name: str) -> None:
    """In as few colours as show the same, so that the file is small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(HERE / f"page-{name}.png", optimize=True)


def main(url: str) -> None:
    """Light and dark, a desk and a phone, the network, a field, the model."""
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        page = browser.new_page(viewport=DESK)
        page.goto(url)
        draw(page)
        keep(page.screenshot(), "draw")
        keep(page.locator("#network").screenshot(), "network")
        field = page.locator("#field")
        field.locator(".tiles button").first.click()
        field.locator(".findings").wait_for()
        page.wait_for_timeout(500)
        keep(field.screenshot(), "field")
        keep(page.locator("#model").screenshot(), "model")
        for name, viewport, scheme in (("dark", DESK, "dark"), ("phone", PHONE, "light")):
            page = browser.new_page(viewport=viewport, color_scheme=scheme)
            page.goto(url)
            draw(page)
            keep(page.screenshot(), name)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1])
