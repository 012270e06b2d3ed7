"""Photographs the page of a service that runs, for page-*.png beside this file.

    lenet5 serve & python -m docs.figures.photograph_page http://127.0.0.1:8000

Needs playwright (the extra dev) and Debian's chromium.
"""

import io
import sys
from pathlib import Path

from PIL import Image

from benchmarks.walk.browser import draw, opened

HERE = Path(__file__).parent
COLOURS = 128
SETTLED = 500  # milliseconds until what follows an answer is drawn


def keep(picture: bytes, name: str) -> None:
    """In as few colours as show the same, so that the file is small."""
    image = Image.open(io.BytesIO(picture)).convert("RGB").quantize(COLOURS, dither=Image.Dither.NONE)
    image.save(HERE / f"page-{name}.png", optimize=True)


def main(url: str) -> None:
    """A digit, the network, a field, the model; then the digit in the dark and on a phone."""
    with opened(url) as page:
        draw(page, url)
        page.wait_for_timeout(SETTLED)
        keep(page.screenshot(), "draw")
        keep(page.locator("#network").screenshot(), "network")
        field = page.locator("#field")
        field.locator(".tiles button").first.click()
        field.locator(".findings").wait_for()
        page.wait_for_timeout(SETTLED)
        keep(field.screenshot(), "field")
        keep(page.locator("#model").screenshot(), "model")
    for name, width, height, scheme in (("dark", 1280, 720, "dark"), ("phone", 360, 740, "light")):
        with opened(url) as page:
            page.set_viewport_size({"width": width, "height": height})
            page.emulate_media(color_scheme=scheme)
            draw(page, url)
            page.wait_for_timeout(SETTLED)
            keep(page.screenshot(), name)


if __name__ == "__main__":
    main(sys.argv[1])
