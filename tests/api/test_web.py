"""The page, its files and the models' cards, as HTTP. What a browser makes of them: tests/web."""

import re
import shutil
from pathlib import Path

import pytest

from app.api.cards import PICTURES, rendered
from app.api.web import STATIC
from tests.api.test_predict import code

CARD = """---
tags: [secret]
---
# mine, version 1

| set | error |
| --- | --: |
| <b>new</b> | 0.5 % |

<script>alert(1)</script> [here](javascript:alert(1))

![Reject curve](reject_curve.png)
"""


@pytest.fixture
def with_card(model_dir: Path, tmp_path: Path) -> Path:
    """The model folder, its model with a card and a picture."""
    folder = shutil.copytree(model_dir, tmp_path / "models")
    (folder / "lenet5" / "1" / "MODEL_CARD.md").write_text(CARD)
    (folder / "lenet5" / "1" / "reject_curve.png").write_bytes(b"\x89PNG")
    return folder


async def test_the_page_and_its_files_are_served_under_a_strict_policy(serving):
    """Every file of the page comes with its type, a digest, and a policy that runs nothing but the page's own files."""
    types = {".html": "text/html", ".js": "text/javascript", ".css": "text/css", ".png": "image/png"}
    async with serving() as client:
        for path in ["", *(f"static/{file.relative_to(STATIC)}" for file in STATIC.rglob("*") if file.is_file())]:
            answer = await client.get(f"/{path}")
            assert answer.status_code == 200, path
            assert answer.headers["content-type"].startswith(types.get(Path(path).suffix or ".html", ""))
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert answer.headers["x-content-type-options"] == "nosniff"


async def test_what_has_not_changed_is_not_sent_again(serving):
    """A file that the browser has is 304 without a body, and asked for each time."""
    async with serving() as client:
        first = await client.get("/")
        tag = first.headers["etag"]
        assert first.headers["cache-control"] == "no-cache"
        for known in (tag, f'W/{tag}, "other"'):
            again = await client.get("/", headers={"If-None-Match": known})
            assert (again.status_code, again.content) == (304, b"")
        assert (await client.get("/", headers={"If-None-Match": '"other"'})).content == first.content
        assert (await client.get("/docs")).headers["etag"] != tag


async def test_head_has_the_headers_and_no_body(serving):
    """Of the page, of the documentation, and of a file."""
    async with serving() as client:
        for path in ("/", "/docs", "/static/app.js"):
            head, get = await client.head(path), await client.get(path)
            assert (head.status_code, head.content) == (200, b"")
            assert head.headers["etag"] == get.headers["etag"]


@pytest.mark.parametrize("name", ["nothing.js", "../api/web.py", "..%2fapi%2fweb.py", "samples", "", "/etc/passwd"])
async def test_nothing_else_is_had_by_a_path(serving, name):
    """What is none of the page's files is 404, in our shape."""
    async with serving() as client:
        assert code(await client.get(f"/static/{name}")) == (404, "not_found")


async def test_the_page_names_files_of_its_own_alone(serving):
    """No file of the page is loaded from elsewhere, and none has a script, a style or a handler of its own inline."""
    async with serving() as client:
        for path in ("/", "/docs"):
            page = (await client.get(path)).text
            assert not re.search(r"<script(?![^>]*\ssrc=)|<style|\sstyle=|\son\w+=", page)
            loaded = re.findall(r"<(?:script|link|img)[^>]*\s(?:src|href)=\"([^\"]+)\"", page)
            assert loaded
            for name in loaded:
                assert (await client.get(f"/{name}")).status_code == 200, name


async def test_a_models_card_is_a_page_with_its_pictures(serving, with_card):
    """Its headings stand below the page's own; numbers are aligned by class, and a picture is had beside it."""
    async with serving(model_dir=with_card) as client:
        answer = await client.get("/models/lenet5/1/card")
        assert answer.headers["content-type"].startswith("text/html")
        assert "unsafe" not in answer.headers["content-security-policy"]
        assert "<h2>mine, version 1</h2>" in answer.text
        assert '<td class="number">0.5 %</td>' in answer.text
        assert "secret" not in answer.text
        source = re.search(r'<img src="([^"]+)" alt="Reject curve"', answer.text)[1]
        picture = await client.get(f"/models/lenet5/1/{source}")
        assert (picture.content, picture.headers["content-type"]) == (b"\x89PNG", "image/png")


async def test_a_card_that_changes_is_shown_changed(serving, with_card):
    """It is read anew each time."""
    async with serving(model_dir=with_card) as client:
        (with_card / "lenet5" / "1" / "MODEL_CARD.md").write_text("# another")
        assert "<h2>another</h2>" in (await client.get("/models/lenet5/1/card")).text


def test_markup_in_a_card_is_shown_as_text():
    """Neither tags nor addresses of scripts come through, and nothing has a style of its own."""
    page = rendered(CARD)
    assert "<script" not in page
    assert "<b>" not in page
    assert "&lt;b&gt;new" in page
    assert "href" not in page
    assert "style" not in page


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("none/1/card", "unknown_model"),
        ("lenet5/2/card", "unknown_model"),
        ("lenet5/1/card/sets.png", "not_found"),  # of the list, but not in this folder
        ("lenet5/1/card/manifest.json", "not_found"),
        ("lenet5/1/card/..%2fmanifest.json", "not_found"),
        ("..%2flenet5/1/card", "not_found"),
    ],
)
async def test_a_card_shows_nothing_but_itself(serving, with_card, path, expected):
    """Models that are not served, and files that are not of the card, are 404."""
    async with serving(model_dir=with_card) as client:
        assert code(await client.get(f"/models/{path}")) == (404, expected)


async def test_a_model_without_a_card_says_so(serving):
    """A model of one's own need not have one."""
    async with serving() as client:
        assert code(await client.get("/models/lenet5/1/card")) == (404, "not_found")


def test_the_pictures_are_those_that_the_cards_of_the_shipped_models_name():
    """No card has a picture that is not served."""
    cards = (Path(__file__).parents[2] / "model_weights").glob("*/*/MODEL_CARD.md")
    named = {name for card in cards for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", card.read_text())}
    assert named == PICTURES
