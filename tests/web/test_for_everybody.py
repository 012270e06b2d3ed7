"""By keyboard, by screen reader, on a phone, light and dark; and the pages beside the first."""

import pytest

from tests.web.visit import SEVEN

pytestmark = pytest.mark.browser

PHONE = {"width": 360, "height": 740}
DESK = {"width": 1280, "height": 720}


def test_a_digit_is_drawn_by_keyboard(visit):
    """The pad is reached by Tab; arrows move the pen, the space bar sets it down and lifts it."""
    here = visit()
    press = here.page.keyboard.press
    for _ in range(20):
        press("Tab")
        if here.page.evaluate("document.activeElement.id") == "pad":
            break
    for key in ["Home"] * 4 + [" "] + ["ArrowRight"] * 7 + ["End"] * 4 + ["ArrowDown"] * 5 + [" "]:
        press(key)
    here.reads("7")
    here.shows("#accepted", "Accepted")
    press("ArrowRight")  # the pen is up: this draws nothing
    press("Control+z")
    here.reads("")
    assert here.page.evaluate("scrollY") == 0


def test_everything_is_reached_and_a_sample_chosen_by_keyboard(visit):
    """Tab comes to every control; Enter chooses a sample, and the answer is read out."""
    here = visit()
    here.page.wait_for_selector("#curves figure")
    reached = set()
    for _ in range(60):
        here.page.keyboard.press("Tab")
        reached.add(here.page.evaluate("document.activeElement.id"))
        if here.page.evaluate("document.activeElement.title.startsWith('A 5, light')"):
            here.page.keyboard.press("Enter")
    assert reached >= {"pad", "files", "model-choice", "target"}
    here.reads("5")
    here.shows("#said", "It reads 5. Accepted")


@pytest.mark.parametrize("viewport", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_wider_than_the_page(visit, viewport, scheme):
    """Before and after an answer, after a problem, and with the card open."""
    here = visit(viewport=viewport, color_scheme=scheme)
    here.page.wait_for_selector("#curves figure")
    assert here.violations() == []
    here.draw(*SEVEN)
    here.reads("7")
    here.page.click("#card summary")
    here.shows("#card h2", "lenet5, version 2")
    assert here.violations() == []
    assert not here.scrolls_sideways()
    here.bring("drop", b"no picture")
    here.shows("#problem code", "invalid_image")
    here.page.click("#samples li:last-child button")
    here.shows("#accepted", "Not accepted")
    assert here.violations() == []
    assert not here.scrolls_sideways()


def test_the_card_is_a_page_of_its_own(visit):
    """With its pictures, and nothing that axe minds."""
    here = visit("models/lenet5/2/card", viewport=PHONE)
    here.shows("h2", "lenet5, version 2")
    here.page.evaluate("document.querySelectorAll('img').forEach((image) => image.loading = 'eager')")
    here.until("() => [...document.images].every((image) => image.naturalWidth > 0)")
    assert here.violations() == []
    assert not here.scrolls_sideways()


def test_the_documentation_executes_a_request_under_the_policy(visit):
    """/docs shows the endpoints and tries one out, without a file from elsewhere or a complaint."""
    here = visit("docs")
    here.page.click("text=The models that are served")
    here.page.click("text=Try it out")
    with here.page.expect_response("**/models"):
        here.page.click("text=Execute")
    here.shows(".responses-inner", '"lenet5"')
