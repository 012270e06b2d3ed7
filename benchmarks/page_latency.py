"""From a stroke on the web page to its answer, in a real browser (headless Chromium), against a service on localhost.

python -m benchmarks.page_latency http://127.0.0.1:8000

Each of 200 strokes lengthens a drawing by one movement of the mouse, as a hand does; what is measured is the page's own
figure, from the time of the mouse's event to the answer's being in the page.
"""

import math
import sys
import time
from statistics import quantiles

from playwright.sync_api import sync_playwright

MOVES = 200
PAUSE = 0.06  # seconds between two movements: longer than an answer takes


def main() -> None:
    """Print the quantiles."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=["--no-sandbox"])
        page = browser.new_page(viewport={"width": 1280, "height": 720})
        page.goto(sys.argv[1])
        box = page.locator("canvas").first.bounding_box()
        assert box is not None
        page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] * 0.2)
        page.mouse.down()
        times = []
        for move in range(1, MOVES + 1):
            angle = move / MOVES * 4 * math.pi  # an 8, drawn once
            x = 0.5 + 0.2 * math.sin(angle)
            y = 0.5 - 0.3 * math.cos(angle / 2)
            page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"])
            time.sleep(PAUSE)
            times.append(float(page.inner_text("#time-total").split()[0]))
        browser.close()
    cuts = quantiles(times, n=100)
    shares = f"median {cuts[49]:.0f}, 95 % {cuts[94]:.0f}, 99 % {cuts[98]:.0f}, most {max(times):.0f}"
    print(f"{MOVES} movements, ms: {shares}")


if __name__ == "__main__":
    main()
