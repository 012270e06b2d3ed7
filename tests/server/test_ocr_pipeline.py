"""examples/ocr against a real service with the weights that come with it."""

import csv
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from lenet5_client.schemas import Reason
from PIL import Image
from running import Running

from app.lenet.registry import default_model_dir
from examples.ocr import make_pages

OCR = Path(make_pages.__file__).parent
Row = dict[str, str]


@pytest.fixture(scope="module")
def written() -> dict[tuple[str, str], str]:
    """What stands in each field, as a reading says it."""
    return {
        (page, name): text.replace(",", "")
        for page, texts in make_pages.WRITTEN.items()
        for name, text in texts.items()
    }


def table(command: list[str]) -> list[Row]:
    """What the pipeline prints."""
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=120)
    assert not done.stderr
    return list(csv.DictReader(done.stdout.splitlines()))


def test_the_pipeline_reads_the_fields_of_its_pages(
    serve: Callable[..., Running], written: dict[tuple[str, str], str], tmp_path: Path
) -> None:
    """Each field has its line, in order; most are read right, what is accepted is, and an empty one never is.

    A field whose options contradict each other spoils none of the others.
    """
    service = serve("--model-dir", str(default_model_dir()))
    command = [sys.executable, str(OCR / "read_fields.py"), "--url", service.url]
    rows = table(command)
    assert [(row["page"], row["field"]) for row in rows] == list(written)
    for row, truth in zip(rows, written.values(), strict=True):
        assert 0 <= float(row["confidence"]) <= 1
        assert set(row["reasons"].split()) <= set(Reason.__args__)
        assert (row["accepted"] == "yes") == (not row["reasons"])
        assert row["text"] == truth or row["accepted"] == "no"
        assert truth or not row["text"]
    right = [row["text"] == truth for row, truth in zip(rows, written.values(), strict=True) if truth]
    assert len(right) == 9
    assert sum(right) >= 7
    accepted = sum(row["accepted"] == "yes" for row in rows)
    assert 3 <= accepted <= 9

    form = (OCR / "fields.toml").read_text()
    for page in tomllib.loads(form):
        (tmp_path / page).symlink_to(OCR / page)
    (tmp_path / "fields.toml").write_text(form.replace('check = "luhn"', 'check = "luhn", kind = "amount"'))
    again = table([*command, "--form", str(tmp_path / "fields.toml")])
    assert [row for row in again if row["field"] != "account"] == [row for row in rows if row["field"] != "account"]
    (spoilt,) = (row for row in again if row["field"] == "account")
    assert (spoilt["accepted"], spoilt["reasons"]) == ("no", "invalid_parameter")


def test_the_pages_are_drawn_as_they_lie_there(tmp_path: Path) -> None:
    """Drawn anew the pages have the same size, every field lies within its page, and none is large."""
    make_pages.main(tmp_path)
    form = tomllib.loads((OCR / "fields.toml").read_text())
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(form)
    for page, fields in form.items():
        with Image.open(OCR / page) as committed, Image.open(tmp_path / page) as drawn:
            assert committed.size == drawn.size
            assert all(x + w <= drawn.width and y + h <= drawn.height for x, y, w, h in (f["box"] for f in fields))
        assert (OCR / page).stat().st_size < 200_000
