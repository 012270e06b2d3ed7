"""What both desks do: read all pages of a folder, and leave a table and a page of what is for a person."""

import argparse
import csv
import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lenet5_client import Client, Lenet5Error

from examples.desks import review
from examples.desks.pages import Field, Page, read

PICTURES = {".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp"}


@dataclass(frozen=True)
class Desk:
    """What is done with one kind of page."""

    name: str  # of the folder of pages, and of what is written
    fields: tuple[Field, ...]
    target_error: float  # of each kind of field: the share of what is accepted that may be wrong
    row: Callable[[Page], dict[str, str]]  # of the table
    summary: Callable[[Sequence[Page]], str]  # of those that were accepted


def run(desk: Desk, description: str) -> int:
    """The command: 0 when every page has an answer, accepted or not; 1 when some have none, or there is no service."""
    parser = argparse.ArgumentParser(description=description, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("pages", type=Path, nargs="?", default=Path(__file__).with_name(desk.name), help="a folder")
    parser.add_argument("--url", default="http://127.0.0.1:8000", help="of the service")
    parser.add_argument("--target-error", type=float, default=desk.target_error, help="default: %(default)s")
    parser.add_argument("--into", type=Path, default=Path(), help="where the table and the review page go")
    given = parser.parse_args()
    files = sorted(file for file in given.pages.glob("*") if file.suffix.lower() in PICTURES)
    if not files:
        parser.error(f"there are no pages in {given.pages}")
    try:
        with Client(given.url, api_key=os.environ.get("LENET5_API_KEY") or None) as client:
            client.health()
            pages = read(client, files, desk.fields, given.target_error)
    except Lenet5Error as error:
        print(error, file=sys.stderr)
        return 1
    accepted, rejected = [page for page in pages if page.accepted], [page for page in pages if not page.accepted]
    given.into.mkdir(parents=True, exist_ok=True)
    table, for_a_person = given.into / f"{desk.name}.csv", given.into / f"{desk.name}.html"
    _write(table, [desk.row(page) for page in pages])
    for_a_person.write_text(review.page(desk.name, rejected, total=len(pages)))
    print(
        f"{len(accepted)} of {len(pages)} {desk.name} accepted: {table}; {len(rejected)} for a person: {for_a_person}"
    )
    print(desk.summary(accepted))
    return int(any(isinstance(one.answer, Lenet5Error) for page in rejected for one in page.readings))


def _write(file: Path, rows: Sequence[dict[str, str]]) -> None:
    with file.open("w", newline="") as out:
        table = csv.DictWriter(out, list(rows[0]))
        table.writeheader()
        table.writerows(rows)
