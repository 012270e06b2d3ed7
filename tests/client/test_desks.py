"""examples/desks against a real service with the weights that come with it: tables, and pages of what is left."""

import csv
import io
import os
import re
import shlex
import shutil
import subprocess
import sys
from base64 import b64decode
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from running import Running

from examples.desks import make_pages
from examples.desks.postal_sorter import ZIP

ROOT = Path(__file__).parents[2]
DESKS = ROOT / "examples" / "desks"
README = ROOT / "examples" / "README.md"
LETTERS = {f"{place:02}.jpg": zip_code for place, (zip_code, _) in enumerate(make_pages.LETTERS, 1)}
CHEQUES = {number: amount.replace(",", "") for number, amount, _, _ in make_pages.CHEQUES}
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")


@dataclass(frozen=True)
class Done:
    """What a desk has left."""

    said: list[str]
    rows: list[dict[str, str]]
    page: str

    @property
    def accepted(self) -> list[dict[str, str]]:
        """The rows of what nobody needs to look at."""
        return [row for row in self.rows if row["accepted"] == "yes"]


def done(program: str, into: Path, *arguments: str, code: int = 0) -> Done:
    """Run a desk."""
    command = [sys.executable, "-m", f"examples.desks.{program}", "--into", str(into), *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=120)
    assert (ended.returncode, ended.stderr) == (code, "")
    (table,) = into.glob("*.csv")
    (page,) = into.glob("*.html")
    with table.open(newline="") as file:
        return Done(ended.stdout.splitlines(), list(csv.DictReader(file)), page.read_text())


def headings(page: str) -> list[str]:
    """The pages that are to be looked at."""
    return re.findall("<h2>(.*?)</h2>", page)


@pytest.fixture(scope="module")
def sorted_post(service: Running, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Done]:
    """The letters, sorted, and where."""
    into = tmp_path_factory.mktemp("sorted")
    return into, done("postal_sorter", into, "--url", service.url)


def test_letters_go_into_bags(sorted_post: tuple[Path, Done]) -> None:
    """Most ZIPs are accepted, each of them right and in its bag; an envelope without one is for a person."""
    _, post = sorted_post
    assert [row["page"] for row in post.rows] == list(LETTERS)
    for row in post.rows:
        assert (row["accepted"] == "yes") == (not row["reasons"])
        assert row["bag"] == (row["zip"][:3] if row["accepted"] == "yes" else "by hand")
    assert 5 <= len(post.accepted) <= 9
    assert all(row["zip"] == LETTERS[row["page"]] for row in post.accepted)
    assert post.said[0].startswith(f"{len(post.accepted)} of 10 letters accepted: ")
    assert post.said[1].count("(1)") == len(post.accepted)


def test_cheques_are_booked(service: Running, tmp_path: Path) -> None:
    """Some amounts are accepted, all of them right, and their sum is told; an empty one is for a person."""
    found = done("cheque_clerk", tmp_path / "new" / "folder", "--url", service.url, "--target-error", "0.05")
    assert [row["number"] for row in found.rows] == list(CHEQUES)
    assert 3 <= len(found.accepted) <= 7
    assert all(row["amount"] == CHEQUES[row["number"]] for row in found.accepted)
    assert found.said[1] == f"Booked: {sum(Decimal(row['amount']) for row in found.accepted)}"
    rejected = [row["number"] for row in found.rows if row not in found.accepted]
    assert headings(found.page) == [f"{number}.jpg" for number in rejected]


def test_a_smaller_error_accepts_less(service: Running, tmp_path: Path, sorted_post: tuple[Path, Done]) -> None:
    """What is accepted then was accepted before."""
    strict = done("postal_sorter", tmp_path, "--url", service.url, "--target-error", "0.003")
    assert len(strict.accepted) < len(sorted_post[1].accepted)
    assert {row["page"] for row in strict.accepted} < {row["page"] for row in sorted_post[1].accepted}


def test_what_is_left_is_shown_with_its_pictures(sorted_post: tuple[Path, Done]) -> None:
    """Each letter that was not accepted has its field and its whole page in the file, which refers to nothing else."""
    _, post = sorted_post
    rejected = [row["page"] for row in post.rows if row not in post.accepted]
    assert headings(post.page) == rejected
    sources = re.findall(r'(?:href|src)="(.*?)"', post.page)
    assert len(sources) == 2 * len(rejected)
    for place, source in enumerate(sources):
        kind, _, content = source.partition(";base64,")
        assert kind in ("data:image/png", "data:image/jpeg")
        with Image.open(io.BytesIO(b64decode(content))) as picture:
            assert picture.size == (ZIP.box[2:] if place % 2 == 0 else (1100, 520))
    assert "http:" not in post.page
    assert "url(" not in post.page


def test_a_page_that_is_none_costs_no_other(service: Running, tmp_path: Path) -> None:
    """It is for a person, with the code of what is wrong, whatever its name; the exit code says so."""
    pages = tmp_path / "pages"
    pages.mkdir()
    shutil.copy(DESKS / "letters" / "01.jpg", pages / "a.jpg")
    (pages / "<b>&.png").write_bytes(b"no picture")
    (pages / "cut.jpg").write_bytes((DESKS / "letters" / "03.jpg").read_bytes()[:9000])
    (pages / "notes.txt").write_text("no page")
    post = done("postal_sorter", tmp_path, str(pages), "--url", service.url, code=1)
    reasons = {row["page"]: (row["accepted"], row["reasons"]) for row in post.rows}
    assert reasons == {"<b>&.png": ("no", "invalid_image"), "a.jpg": ("yes", ""), "cut.jpg": ("no", "invalid_image")}
    assert headings(post.page) == ["&lt;b&gt;&amp;.png", "cut.jpg"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--url", "http://127.0.0.1:1"], 1, "[connection_failed]"),
        (["nowhere"], 2, "there are no pages in nowhere"),
        (["--target-error", "much"], 2, "invalid float"),
    ],
)
def test_what_cannot_be_done_is_said(tmp_path: Path, arguments: Sequence[str], code: int, said: str) -> None:
    """In one line, and nothing is written."""
    command = [sys.executable, "-m", "examples.desks.postal_sorter", "--into", str(tmp_path), *arguments]
    ended = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False, timeout=60)
    assert ended.returncode == code
    assert said in ended.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


BLOCKS = re.findall(r"^```sh\n(.*?)^```\n\n```\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)


@pytest.mark.parametrize(("command", "printed"), BLOCKS)
def test_the_readme_shows_what_is_printed(service: Running, tmp_path: Path, command: str, printed: str) -> None:
    """Its commands run as they stand, but for the port, and print what it says."""
    words = [sys.executable, *shlex.split(command)[1:], "--url", service.url]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        words, cwd=tmp_path, env=environment, capture_output=True, text=True, check=True, timeout=120
    )
    assert (ended.stdout, ended.stderr) == (printed, "")


def test_the_readme_names_every_example() -> None:
    """And both of its commands are run by the test above."""
    assert len(BLOCKS) == 2
    linked = set(re.findall(r"\]\((\w[\w./]*)\)|`(\S+\.(?:png|jpg))`", README.read_text()))
    named = {(README.parent / one).resolve() for pair in linked for one in pair if one}
    assert all(path.exists() for path in named)
    programs = {DESKS / "postal_sorter.py", DESKS / "cheque_clerk.py"}
    folders = {path for path in README.parent.iterdir() if path.name in ("clients", "ocr")}
    pictures = set(README.parent.glob("*.png")) | set(README.parent.glob("*.jpg"))
    assert programs | folders | pictures <= named


@pytest.mark.browser
def test_a_person_types_what_is_left_and_saves_it(sorted_post: tuple[Path, Done]) -> None:
    """In a browser, from the file: nothing is asked for elsewhere, and what nobody has said is not in the table."""
    if CHROMIUM is None:
        pytest.skip("there is no Chromium (Debian: apt-get install chromium)")
    from playwright.sync_api import sync_playwright

    into, post = sorted_post
    complaints: list[str] = []
    asked: list[str] = []
    first, second, *others = headings(post.page)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        page = browser.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        page.goto((into / "letters.html").as_uri())
        page.get_by_label("It says").nth(0).fill('8"0302')
        page.locator("article").nth(1).get_by_role("button").first.click()
        chosen = page.get_by_label("It says").nth(1).input_value()
        with page.expect_download() as download:
            page.get_by_role("button", name="Save as CSV").click()
        saved = Path(download.value.path()).read_text()
        browser.close()
    assert complaints == []
    assert [url for url in asked if not url.startswith("data:")] == [(into / "letters.html").as_uri()]
    rows = {row["page"]: (row["field"], row["text"]) for row in csv.DictReader(io.StringIO(saved, newline=""))}
    assert re.fullmatch(r"\d{5}", chosen)
    assert rows == {first: ("zip", '8"0302'), second: ("zip", chosen), **dict.fromkeys(others, ("zip", ""))}


def test_the_pages_are_drawn_as_they_lie_there(tmp_path: Path) -> None:
    """Drawn anew they have the same names and all but the same pixels; none is large."""
    make_pages.main(tmp_path)
    drawn = sorted(file.relative_to(tmp_path) for file in tmp_path.rglob("*.jpg"))
    assert drawn == sorted(file.relative_to(DESKS) for file in DESKS.rglob("*.jpg"))
    for file in drawn:
        with Image.open(DESKS / file) as committed, Image.open(tmp_path / file) as anew:
            assert np.abs(np.asarray(committed, int) - np.asarray(anew, int)).mean() < 2
        assert (DESKS / file).stat().st_size < 100_000
