"""Drawing a digit and reading the answer."""

import itertools
import subprocess
import sys

import pytest

from tests.web.visit import SEVEN

pytestmark = pytest.mark.browser


def test_a_drawn_seven_is_read_as_seven(visit):
    """The first canvas is in view on load; what is drawn on it is posted, and the answer says all that there is."""
    here = visit()
    box = here.page.locator("canvas").first.bounding_box()
    assert box["y"] >= 0
    assert box["y"] + box["height"] <= 720
    here.draw(*SEVEN)
    here.reads("7")
    here.shows("#accepted", "Accepted")
    assert here.asked
    assert "% sure" in here.text("#sure")
    assert "like this is wrong" in here.text("#odds")
    assert "Next likeliest: " in here.text("#runner-up")
    assert here.page.locator("#bars tbody tr").count() == 10
    assert "LeNet-5" in here.text("#time-parts")


def test_the_digit_is_in_the_largest_type_of_the_page(visit):
    """It stands alone in its element, larger than any other digit."""
    here = visit()
    here.draw(*SEVEN)
    here.reads("7")
    sizes = here.page.evaluate(
        """[...document.querySelectorAll("body *")]
            .filter((e) => e.offsetParent && !e.childElementCount && /^[0-9]+$/.test(e.textContent.trim()))
            .map((e) => [parseFloat(getComputedStyle(e).fontSize), e.id])
            .sort(([a], [b]) => b - a)"""
    )
    assert sizes[0][1] == "digit"
    assert sizes[0][0] > sizes[1][0]


@pytest.mark.parametrize("corner", [(0.02, 0.02), (0.8, 0.8), (0.8, 0.02)])
def test_a_small_seven_in_a_corner_is_read_as_seven(visit, corner):
    """Where on the pad the digit is, and how small, changes nothing."""
    here = visit()
    here.draw(*SEVEN, scale=0.18, corner=corner)
    here.reads("7")
    here.shows("#accepted", "Accepted")


def test_the_answer_comes_while_the_pen_is_down(visit):
    """It is there before the stroke ends."""
    here = visit()
    here.press(SEVEN[0])
    for point in SEVEN[1:]:
        here.move(point)
    here.reads("7")
    here.page.mouse.up()


def test_one_request_at_a_time_and_the_latest_drawing_wins(visit):
    """While one is answered no other is sent; the next one has all that was drawn meanwhile."""
    here = visit()
    held = []
    here.page.route("**/predict", lambda route: held.append(route))  # noqa: PLW0108 - Playwright marks the function that it is given
    here.press(SEVEN[0])
    for point in SEVEN[1:]:
        here.move(point)
    here.page.mouse.up()
    here.until("() => location.hash.includes('drawing=')")
    assert len(held) == 1
    with here.page.expect_request("**/predict"):
        held[0].continue_()
    here.page.wait_for_timeout(50)  # for the handler of the route, which runs after that
    assert len(held) == 2
    whole = here.page.evaluate(
        """async () => {
            const { Drawing, fromText, pictureOf } = await import("./static/drawing.js");
            const text = new URLSearchParams(location.hash.slice(1)).get("drawing");
            const drawing = new Drawing();
            drawing.replace(fromText(text));
            return [...new Uint8Array(await pictureOf(drawing).arrayBuffer())];
        }"""
    )
    assert held[1].request.post_data_buffer == bytes(whole)
    held[1].continue_()
    here.reads("7")


def test_undo_and_clear(visit):
    """Undo takes back one stroke, or a clearing; an empty pad has no answer."""
    here = visit()
    assert here.page.is_disabled("#undo")
    here.draw((0.5, 0.15), (0.5, 0.85))
    here.reads("1")
    here.draw(*SEVEN)
    here.page.click("#undo")
    here.reads("1")
    here.page.click("#clear")
    here.reads("")
    assert here.page.is_disabled("#clear")
    here.page.keyboard.press("Control+z")
    here.reads("1")


def test_a_link_carries_the_drawing(visit):
    """The address after drawing, opened elsewhere, shows the same drawing and its answer."""
    here = visit()
    here.draw(*SEVEN)
    here.reads("7")
    here.until("() => location.hash.includes('drawing=')")
    there = visit(here.page.url.rpartition("/")[2])
    there.reads("7")
    there.page.click("#undo")
    there.reads("")


def test_a_broken_link_draws_what_can_be_read(visit):
    """A link that was cut short or changed breaks nothing."""
    for text in ("drawing=AwgEA", "drawing=%%%", "drawing=_____w", "sample=../../x", "model=none:7"):
        visit(f"#{text}")


@pytest.mark.parametrize(("button", "command"), [("#copy-curl", ["bash"]), ("#copy-python", [sys.executable])])
def test_what_was_sent_can_be_sent_again(visit, button, command):
    """The copied command, run as it is, gets the same answer."""
    here = visit(permissions=["clipboard-read", "clipboard-write"])
    here.draw(*SEVEN)
    here.reads("7")
    here.page.click(button)
    here.shows("#said", "Copied")
    text = here.page.evaluate("navigator.clipboard.readText()")
    answer = subprocess.run([*command, "-c", text], check=True, capture_output=True, text=True).stdout
    assert answer.replace("'", '"').replace(" ", "").startswith('{"digit":7,')


def test_a_clipboard_that_is_kept_from_us_leaves_the_text_to_copy(visit):
    """Without HTTPS browsers have no clipboard for a page: the text is shown, selected."""
    here = visit()
    here.draw(*SEVEN)
    here.reads("7")
    here.page.evaluate("() => void (navigator.clipboard.writeText = () => Promise.reject(new Error()))")
    here.page.click("#copy-link")
    assert here.page.input_value("#by-hand textarea") == here.page.url


def test_a_finger_draws_and_does_not_scroll(visit):
    """A touch that moves on the pad draws; the page stays where it is."""
    here = visit(viewport={"width": 360, "height": 740}, has_touch=True, is_mobile=True)
    box = here.page.locator("canvas").first.bounding_box()
    session = here.context.new_cdp_session(here.page)

    def touch(kind: str, *points: tuple[float, float]) -> None:
        at = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", SEVEN[0])
    for (x, y), (next_x, next_y) in itertools.pairwise(SEVEN):
        for i in range(1, 9):
            touch("touchMove", (x + (next_x - x) * i / 8, y + (next_y - y) * i / 8))
    touch("touchEnd")
    here.reads("7")
    assert here.page.evaluate("scrollY") == 0
