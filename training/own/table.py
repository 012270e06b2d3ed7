"""A CSV of paths and labels: the columns path, label and, if you like, group. Paths are relative to the CSV."""

import csv
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from training.errors import DatasetError
from training.own import pictures
from training.own.digits import CLASSES, Item


def items(file: Path) -> list[Item]:
    """One picture a row, in the order of the rows; columns of other names are left out, and so are empty rows.

    Raises:
        DatasetError: the file is no such CSV; the message says which line is wrong, and how.
    """
    rows = _rows(file)
    header = [name.strip().lower() for name in next(rows, (1, []))[1]]
    _check(header, file)
    found = [_item(header, row, file, line) for line, row in rows]
    if not found:
        raise DatasetError(f"{file} has a header and nothing below it.")
    return found


def _rows(file: Path) -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the number of the line that it ends on."""
    line = 0
    try:
        with file.open(encoding="utf-8-sig", newline="") as stream:  # spreadsheets put a byte order mark first
            rows = csv.reader(stream, strict=True)
            for row in rows:
                line = rows.line_num
                if any(cell.strip() for cell in row):
                    yield line, row
    except UnicodeDecodeError as error:
        raise DatasetError(f"{file}, after line {line}: it is not UTF-8 ({error.reason}).") from error
    except csv.Error as error:
        raise DatasetError(f"{file}, after line {line}: {error}.") from error


def _check(header: list[str], file: Path) -> None:
    for name in ("path", "label"):
        if name not in header:
            raise DatasetError(
                f"{file}, line 1: the header has no column {name!r}, but {', '.join(map(repr, header)) or 'nothing'}; "
                "it should be path,label or path,label,group."
            )
    if len(set(header)) < len(header):
        raise DatasetError(f"{file}, line 1: a column stands twice in the header.")


def _item(header: list[str], row: list[str], file: Path, line: int) -> Item:
    where = f"{file}, line {line}"
    if len(row) != len(header):
        raise DatasetError(f"{where}: it has {len(row)} cells, but the header has {len(header)}.")
    cells = dict(zip(header, (cell.strip() for cell in row), strict=True))
    path, label, group = cells["path"], cells["label"].lower(), cells.get("group")
    if label not in CLASSES:
        raise DatasetError(f"{where}: the label is {label!r}; known are 0 to 9, and none for what is no digit.")
    if not path or "\0" in path:
        raise DatasetError(f"{where}: the path is {path!r}.")
    if group == "":
        raise DatasetError(f"{where}: the group is empty; every picture has one, or there is no such column.")
    place = file.parent / path
    return Item(f"{place} (line {line})", CLASSES[label], group, partial(pictures.gray, place))
