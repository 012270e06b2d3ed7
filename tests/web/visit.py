"""What a person does on the page."""

import base64
from typing import Any

from axe_playwright_python.sync_playwright import Axe

SEVEN = ((0.25, 0.2), (0.75, 0.2), (0.45, 0.85))
"""The corners of a 7, as shares of the pad's sides."""


class Visit:
    """A page in a context of its own."""

    def __init__(self, context: Any, url: str) -> None:
        self.context = context
        self.page = context.new_page()
        self.complaints: list[str] = []
        self.elsewhere: list[str] = []
        self.posts: list[str] = []  # where to, without the origin
        self.page.on("console", lambda message: self._heard(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request, url))

    def _heard(self, kind: str, text: str) -> None:
        if kind in ("error", "warning"):
            self.complaints.append(text)

    def _asked(self, request: Any, url: str) -> None:
        if not request.url.startswith((f"{url}/", "blob:", "data:")):
            self.elsewhere.append(request.url)
        if request.method == "POST":
            self.posts.append(request.url.removeprefix(f"{url}/"))

    @property
    def asked(self) -> list[str]:
        """The requests for an answer to one picture."""
        return [path for path in self.posts if path.partition("?")[0] == "predict"]

    def text(self, selector: str) -> str:
        return self.page.inner_text(selector)

    def draw(self, *points: tuple[float, float], **where: Any) -> None:
        """A stroke of the mouse through the points, the drawing made smaller and moved to a corner."""
        self.press(points[0], **where)
        for point in points[1:]:
            self.move(point, **where)
        self.page.mouse.up()

    def press(self, point: tuple[float, float], **where: Any) -> None:
        self.page.mouse.move(*self._at(point, **where))
        self.page.mouse.down()

    def move(self, point: tuple[float, float], **where: Any) -> None:
        self.page.mouse.move(*self._at(point, **where), steps=8)

    def _at(
        self,
        point: tuple[float, float],
        *,
        scale: float = 1,
        corner: tuple[float, float] = (0, 0),
        on: str = "canvas",
    ) -> tuple[float, float]:
        canvas = self.page.locator(on).first
        canvas.scroll_into_view_if_needed()
        box = canvas.bounding_box()
        x, y = (c + scale * p for p, c in zip(point, corner, strict=True))
        return box["x"] + x * box["width"], box["y"] + y * box["height"]

    def reads(self, digit: str) -> None:
        """Wait until the answer is that digit."""
        self.until("d => document.querySelector('#digit').textContent === d", digit)

    def until(self, condition: str, argument: Any = None) -> None:
        self.page.wait_for_function(condition, arg=argument)

    def shows(self, selector: str, text: str) -> None:
        """Wait until an element says that."""
        found = "([s, t]) => [...document.querySelectorAll(s)].some((e) => e.offsetParent && e.innerText.includes(t))"
        self.until(found, [selector, text])

    def bring(
        self, event: str, content: bytes, name: str = "picture.png", kind: str = "image/png", to: str = "body"
    ) -> None:
        """Drop or paste a file."""
        self.page.evaluate(
            """([event, content, name, type, to]) => {
                const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
                const transfer = new DataTransfer();
                transfer.items.add(new File([bytes], name, { type }));
                const options = { bubbles: true, cancelable: true };
                document.querySelector(to).dispatchEvent(event === "paste"
                    ? new ClipboardEvent("paste", { ...options, clipboardData: transfer })
                    : new DragEvent("drop", { ...options, dataTransfer: transfer }));
            }""",
            [event, base64.b64encode(content).decode(), name, kind, to],
        )

    def violations(self) -> list[str]:
        """What axe finds wrong, each with where."""
        found = Axe().run(self.page).response["violations"]
        return [f"{each['id']}: {[node['target'] for node in each['nodes']][:5]}" for each in found]

    def scrolls_sideways(self) -> bool:
        return self.page.evaluate("document.documentElement.scrollWidth > document.documentElement.clientWidth")
