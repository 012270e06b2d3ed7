"""The service goes away, comes back, or wants a key."""

import pytest

from tests.web.conftest import end, start
from tests.web.visit import SEVEN, Visit

pytestmark = pytest.mark.browser


def only_failed_requests(visit: Visit) -> None:
    """What the browser itself says of a request that failed is no complaint about the page."""
    visit.complaints[:] = [text for text in visit.complaints if not text.startswith("Failed to load resource")]


def test_the_service_goes_and_comes_back(visit, tmp_path):
    """The page says so, and by itself reads what was drawn meanwhile."""
    service = start(tmp_path / "log")
    try:
        here = visit(url=service.url)
        here.draw((0.5, 0.2), (0.5, 0.8))
        here.reads("1")
        end(service)
        here.page.click("#clear")
        here.draw(*SEVEN)
        here.shows("#notice", "does not answer")
        here.shows("#problem code", "unreachable")
        service = start(tmp_path / "log", service.port)
        here.reads("7")
        here.until("() => document.querySelector('#notice').hidden")
        assert here.page.is_hidden("#problem")
    finally:
        end(service)
    only_failed_requests(here)


def test_a_page_opened_while_the_service_starts_gets_its_models(visit):
    """/models that fails is asked for again when the service answers."""
    here = visit("docs")
    down = [503]
    body = '{"error": {"code": "draining", "message": "The service is shutting down.", "details": {}}}'
    gone = lambda route: route.fulfill(status=503, body=body) if down else route.continue_()  # noqa: E731
    here.page.route("**/models", gone)
    here.page.route("**/health/ready", gone)
    here.page.goto(here.page.url.replace("docs", ""))
    here.shows("#notice", "The service is shutting down.")
    down.clear()
    here.shows("#model-lead", "lenet5:2")
    only_failed_requests(here)


def test_a_key_is_asked_for_kept_in_the_tab_and_sent(visit):
    """After a 401 a field appears; with the right key what was drawn is read, and the key is in no copied command."""
    here = visit(permissions=["clipboard-read", "clipboard-write"])
    body = '{"error": {"code": "unauthorized", "message": "The request has no key.", "details": {}}}'

    def guard(route):
        if route.request.headers.get("authorization") == "Bearer sesame":
            route.continue_()
        else:
            route.fulfill(status=401, body=body)

    here.page.route("**/predict", guard)
    here.draw(*SEVEN)
    here.shows("#unlock label", "key")
    here.shows("#problem code", "unauthorized")
    for key in ("wrong", "sesame"):
        here.page.wait_for_selector("#unlock")
        here.page.fill("#key", key)
        here.page.keyboard.press("Enter")
    here.reads("7")
    assert here.page.is_hidden("#unlock")
    here.page.click("#copy-curl")
    here.shows("#said", "Copied")
    copied = here.page.evaluate("navigator.clipboard.readText()")
    assert "sesame" not in copied
    assert "Authorization: Bearer $LENET5_KEY" in copied
    here.page.reload()
    here.reads("7")
    only_failed_requests(here)


def test_a_full_queue_is_waited_for(visit):
    """After 429 the drawing is sent again when Retry-After says so."""
    here = visit()
    body = '{"error": {"code": "queue_full", "message": "Too much is waiting.", "details": {}}}'
    here.page.route(
        "**/predict", lambda route: route.fulfill(status=429, body=body, headers={"Retry-After": "1"}), times=1
    )
    here.draw(*SEVEN)
    here.reads("7")
    assert here.page.is_hidden("#problem")
    only_failed_requests(here)
