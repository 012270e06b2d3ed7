"""An OCR pipeline that has the service read the fields of scanned pages.

    lenet5 serve &
    python examples/ocr/read_fields.py > fields.csv

`fields.toml` says where the fields lie on each page and what they hold: finding them is the pipeline's, reading them
is the service's. The fields of a page go in one request, and each gets a line: its text, the probability that all of
it is right, and whether it may be booked or is for a clerk to look at, with the reasons.
"""

import argparse
import csv
import io
import json
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

import httpx
from lenet5_client.schemas import BatchReadResponse, ReadResponse
from PIL import Image

COLUMNS = ("page", "field", "text", "confidence", "accepted", "reasons")
TARGET_ERROR = 0.02  # of what is accepted, at most this share may be misread


def main() -> None:
    """Read the fields of every page that the form names."""
    arguments = argparse.ArgumentParser(description="Reads the fields of pages.")
    arguments.add_argument("--form", type=Path, default=Path(__file__).with_name("fields.toml"))
    arguments.add_argument("--url", default="http://127.0.0.1:8000")
    given = arguments.parse_args()
    form = tomllib.loads(given.form.read_text())
    with httpx.Client(base_url=given.url, timeout=60) as service:
        write(rows(service, form, given.form.parent), sys.stdout)


def rows(service: httpx.Client, form: Mapping[str, Sequence[Mapping[str, Any]]], folder: Path) -> Iterator[list[str]]:
    """A row for each field of each page in a folder."""
    for page, fields in form.items():
        with Image.open(folder / page) as image:
            crops = [crop(image, field["box"]) for field in fields]
        answer = service.post(
            "/read/batch",
            params={"target_error": TARGET_ERROR},
            files=[("files", (f"{field['name']}.png", data)) for field, data in zip(fields, crops, strict=True)],
            data={"options": json.dumps([field["options"] for field in fields])},
        )
        answer.raise_for_status()
        results = BatchReadResponse.model_validate_json(answer.content).results
        for field, result in zip(fields, results, strict=True):
            if isinstance(result, ReadResponse):
                accepted = "yes" if result.accepted else "no"
                found = [result.text, f"{result.confidence:.4f}", accepted, " ".join(result.reasons)]
            else:  # this crop alone could not be read
                found = ["", "0.0000", "no", result.error.code]
            yield [page, field["name"], *found]


def crop(image: Image.Image, box: Sequence[int]) -> bytes:
    """The part of a page at x, y, width and height, as PNG."""
    x, y, width, height = box
    out = io.BytesIO()
    image.crop((x, y, x + width, y + height)).save(out, "PNG")
    return out.getvalue()


def write(lines: Iterator[list[str]], file: TextIO) -> None:
    """The table."""
    table = csv.writer(file)
    table.writerow(COLUMNS)
    table.writerows(lines)


if __name__ == "__main__":
    main()
