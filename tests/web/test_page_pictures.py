"""Pictures that are not drawn: samples, and what somebody drops, pastes or opens."""

from pathlib import Path

import numpy as np
import pytest

from tests.conftest import png

pytestmark = pytest.mark.browser

EXAMPLES = Path(__file__).parents[2] / "examples"
SEVEN = (EXAMPLES / "7.png").read_bytes()
PHOTO = (EXAMPLES / "photo-of-a-4.jpg").read_bytes()
NOISE = png(np.random.default_rng(0).integers(0, 256, (240, 240), np.uint8))


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_a_picture_that_is_dropped_or_pasted_is_read(visit, event):
    """It lies on the stage, with its answer beside it."""
    here = visit()
    here.bring(event, SEVEN)
    here.reads("7")
    assert here.page.is_visible("#picture")


def test_pictures_are_opened_and_each_has_its_answer(visit):
    """Several files are read together; the first lies on the stage, and each can be laid there."""
    here = visit()
    files = [
        {"name": "photo.jpg", "mimeType": "image/jpeg", "buffer": PHOTO},
        {"name": "seven.png", "mimeType": "image/png", "buffer": SEVEN},
        {"name": "notes.txt", "mimeType": "text/plain", "buffer": b"no picture"},
    ]
    here.page.set_input_files("#files", files)
    here.reads("4")
    assert here.page.locator("#own .caption").all_inner_texts() == ["4", "7", "!"]
    here.page.click("#own li:nth-child(2) button")
    here.reads("7")
    here.page.click("#own li:nth-child(3) button")
    here.shows("#problem", "notes.txt: ")
    here.shows("#problem code", "invalid_image")


@pytest.mark.parametrize(
    ("content", "code"),
    [(b"no picture at all", "invalid_image"), (SEVEN[: len(SEVEN) // 2], "invalid_image"), (b"", "invalid_image")],
)
def test_a_file_that_cannot_be_read_is_one_sentence_and_a_code(visit, content, code):
    """The page says what is wrong with it, and goes on."""
    here = visit()
    here.bring("drop", content)
    here.shows("#problem code", code)
    assert here.text("#problem").count(".") == 1
    here.bring("drop", SEVEN)
    here.reads("7")
    assert here.page.is_hidden("#problem")


def test_what_is_no_digit_is_not_accepted(visit):
    """A cat, and noise, are refused with the reason in words."""
    here = visit()
    here.page.click("#samples button[title^='A cat']")
    here.shows("#accepted", "Not accepted: it does not look like a digit")
    here.bring("drop", NOISE)
    here.shows("#accepted", "Not accepted")
    assert here.page.get_attribute("#answer", "data-state") == "rejected"


def test_every_sample_is_there_and_answered(visit):
    """Each is a button with a name; the answer follows the choice, and drawing takes its place."""
    here = visit()
    tiles = here.page.locator("#samples button")
    for i in range(tiles.count()):
        with here.page.expect_response("**/predict"):
            tiles.nth(i).click()
        assert tiles.nth(i).get_attribute("aria-pressed") == "true"
    there = visit(here.page.url.rpartition("/")[2])
    there.shows("#accepted", "Not accepted: it does not look like a digit")  # the link's sample is the last, the cat
    there.draw((0.5, 0.2), (0.5, 0.8))
    there.reads("1")
    assert there.page.is_hidden("#picture")
    assert there.page.locator("#samples [aria-pressed='true']").count() == 0


def test_another_model_and_threshold_are_asked_for(visit):
    """What is chosen goes along, is in the link, and the curves and the card are those of the model."""
    here = visit()
    here.bring("drop", SEVEN)
    here.reads("7")
    assert here.page.locator("#curves figure").count() == 3
    here.page.select_option("#target", "0.001")
    here.shows("#accepted", "Not accepted: it is not sure enough")
    assert here.asked[-1] == "predict?target_error=0.001"
    here.page.select_option("#target", "")  # of which lenet5:1, without a calibration, knows nothing
    here.page.select_option("#model-choice", "lenet5:1")
    here.shows("#model-lead", "lenet5:1")
    here.shows("#accepted", "Accepted")
    assert here.asked[-1] == "predict?model=lenet5%3A1"
    assert "model=lenet5%3A1" in here.page.url
    here.page.click("#card summary")
    here.shows("#card h2", "lenet5, version 1")
    here.page.evaluate("document.querySelectorAll('#card img').forEach((image) => image.loading = 'eager')")
    here.until("() => [...document.querySelectorAll('#card img')].every((image) => image.naturalWidth > 0)")
    assert visit("#model=lenet5%3A1").page.wait_for_selector("#model-lead:has-text('lenet5:1')")
