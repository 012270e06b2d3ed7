"""A whole field: what is read in it, what else it may be, its cuts, and what would be accepted."""

import subprocess
from pathlib import Path

import pytest

from app.api.web import STATIC
from tests.web.visit import Visit

pytestmark = pytest.mark.browser

SAMPLES = STATIC / "samples" / "fields"
ZIP = (Path(__file__).parents[2] / "examples" / "zip.png").read_bytes()
FIRST = "60637"  # what the sample that is shown first says


def opened(visit, **options) -> Visit:
    """The page, scrolled to its field with the first sample read, and all the others."""
    here = visit("#field", **options)
    here.page.locator("#field").scroll_into_view_if_needed()
    says(here, FIRST)
    here.until("() => [...document.querySelectorAll('#field .caption')].every((each) => each.textContent)")
    return here


def says(here: Visit, text: str) -> None:
    here.until("text => document.querySelector('#field .read').textContent === text", text)


def choose(here: Visit, about: str) -> None:
    here.page.click(f"#field .tiles button[aria-label^='{about}']")


def test_a_sample_is_read_with_boxes_alternatives_and_cuts(visit):
    """Each character has its box on the picture, the likeliest texts beside it, and the cuts go through the line."""
    here = opened(visit)
    assert "% sure" in here.text("#field .sure")
    assert "like this is wrong" in here.text("#field .odds")
    assert here.text("#field .accepted") == "Accepted."
    texts = here.page.locator("#field .texts tbody th").all_inner_texts()
    assert texts[0] == FIRST
    assert len(set(texts)) == 5
    boxes = here.page.locator("#field .boxes rect")
    picture = here.page.locator("#field .picture").bounding_box()
    lefts = [boxes.nth(i).bounding_box()["x"] for i in range(boxes.count())]
    assert len(lefts) == len(FIRST)
    assert sorted(lefts) == lefts
    assert picture["x"] < lefts[0] < lefts[-1] < picture["x"] + picture["width"]
    assert here.page.locator("#field .characters > li > b").all_inner_texts() == list(FIRST)
    assert here.page.locator("#field .cuts polyline.taken").count() == len(FIRST) - 1
    assert here.page.locator("#field .cuts polyline").count() > len(FIRST) - 1
    assert here.page.locator("#field .lane.taken .run").all_inner_texts() == list(FIRST)
    here.page.locator("#field .characters > li").nth(2).hover()
    assert boxes.nth(2).get_attribute("class") == "pointed"
    here.page.locator("#field .lane.taken .run").first.hover()
    here.shows("#field figcaption", "likeliest a 6")


def test_a_field_is_written_on_the_pad(visit):
    """Strokes on the wide pad take the picture's place, and are read while they are written."""
    here = opened(visit)
    here.page.select_option("#field-kind", "digits")
    for stroke in (((0.3, 0.2), (0.27, 0.8)), ((0.4, 0.2), (0.52, 0.2), (0.44, 0.85))):
        here.draw(*stroke, on="#field canvas")
    says(here, "17")
    assert here.page.is_hidden("#field .picture")
    assert here.page.locator("#field .tiles [aria-pressed='true']").count() == 0
    assert here.page.locator("#field .boxes rect").count() == 2
    here.page.click("#field .undo")
    says(here, "1")
    here.page.click("#field .clear")
    says(here, "")
    assert here.page.locator("#field .boxes rect").count() == 0
    assert here.page.is_hidden("#field .findings")
    assert here.asked == []
    assert here.page.locator("canvas").first.get_attribute("id") == "pad"


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_that_is_brought_to_the_field_is_read_as_one(visit, event):
    """It gets a tile of its own, and the digit's part of the page leaves it alone."""
    here = opened(visit)
    here.page.hover("#field .stage")
    here.bring(event, ZIP, to="#field .stage")
    says(here, "85615")
    assert here.page.locator("#field .tiles .caption").last.inner_text() == "85615"
    assert here.asked == []
    assert any(path.startswith("read/batch?") for path in here.posts)


def test_what_is_no_field_is_not_accepted_and_what_is_no_picture_is_said(visit):
    """A signature is refused with a reason; a broken file is one sentence and a code, and the next one is read."""
    here = opened(visit)
    choose(here, "A signature")
    here.shows("#field .accepted", "Not accepted: ")
    here.bring("drop", b"no picture", name="notes.txt", to="#field")
    here.shows("#field .problem code", "invalid_image")
    here.shows("#field .problem", "notes.txt: ")
    choose(here, "A ZIP code, clearly written")
    says(here, "90210")
    assert here.page.is_hidden("#field .problem")


def test_the_error_rate_decides_what_is_accepted(visit):
    """Along the slider, moved by keys, more is accepted the more errors may be; the service is asked with that rate."""
    here = opened(visit)
    slider = here.page.locator("#field-target")
    accepted = []
    slider.press("Home")
    for _ in range(9):
        accepted.append(here.page.locator("#field .tiles [data-state='accepted']").count())
        slider.press("ArrowRight")
    assert accepted == sorted(accepted)
    assert accepted[0] < accepted[-1]
    choose(here, "A faded ZIP code")
    says(here, "48197")
    here.shows("#field .accepted", "Accepted")
    with here.page.expect_response("**/read?**target_error=0.005**") as response:
        slider.press("Home")
    assert not response.value.json()["accepted"]
    here.shows("#field .accepted", "Not accepted: it is not sure enough")
    low, high = (here.text("#field .outcome"), slider.get_attribute("aria-valuetext"))
    assert "postal codes" in low
    assert high == "0.5\u00a0%"


def test_the_page_accepts_what_the_service_accepts(visit):
    """For every sample and several rates, what stands under a tile is what /read says."""
    here = opened(visit)
    for target in (0.007, 0.02, 0.1):
        here.page.locator("#field-target").fill(
            str([0.005, 0.007, 0.01, 0.015, 0.02, 0.03, 0.05, 0.07, 0.1].index(target))
        )
        shown = here.page.evaluate(
            "[...document.querySelectorAll('#field .tiles li')].map((tile) => tile.dataset.state)"
        )
        answered = here.page.evaluate(
            """async (target) => {
                const { FIELDS } = await import("./static/field/samples.js");
                return Promise.all(FIELDS.map(async ({ file, options }) => {
                    const body = await (await fetch(`static/samples/fields/${file}`)).blob();
                    const query = new URLSearchParams({ ...options, target_error: target });
                    const { accepted } = await (await fetch(`read?${query}`, { method: "POST", body })).json();
                    return accepted ? "accepted" : "rejected";
                }));
            }""",
            target,
        )
        assert shown == answered


def test_another_kind_and_model_are_asked_for(visit):
    """What is said of the field goes along; a sample says its own."""
    here = opened(visit)
    here.page.select_option("#field-country", "DE")
    here.until("() => document.querySelector('#field .reading').dataset.state")
    with here.page.expect_request(
        lambda request: "read?" in request.url and "lenet5-field-open" in request.url
    ) as asked:
        here.page.select_option("#field-model", "lenet5-field-open:3")
    assert "country=DE" in asked.value.url
    choose(here, "A bank")
    says(here, "122105278")
    assert here.page.input_value("#field-check") == "aba"
    assert here.page.is_hidden("#field-country")


def test_what_was_sent_can_be_sent_again(visit):
    """The copied command, run as it is, gets the same text."""
    here = opened(visit, permissions=["clipboard-read", "clipboard-write"])
    here.page.click("#field .as-curl")
    here.shows("#said", "Copied")
    command = here.page.evaluate("navigator.clipboard.readText()")
    answer = subprocess.run(["bash", "-c", command], check=True, capture_output=True, text=True).stdout
    assert f'"text":"{FIRST}"' in answer.replace(" ", "")


def test_a_service_without_a_model_of_fields_shows_no_field(visit):
    """The part of the page, and the link to it, are not there."""
    here = visit("docs")

    def digits_alone(route):
        models = [one for one in route.fetch().json()["models"] if one["task"] == "digit"]
        route.fulfill(json={"models": models})

    here.page.route("**/models", digits_alone)
    here.page.goto(here.page.url.replace("docs", ""))
    here.page.wait_for_selector("#curves figure")
    assert here.page.is_hidden("#field")
    assert here.page.is_hidden("nav a[href='#field']")
