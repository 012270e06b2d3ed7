"""Where results go: JSON lines or CSV, in a file or for the next program; a table for people.

A result is the name of a picture and what the service would answer: a `Prediction`, `ReadResponse` or `ErrorBody`.
"""

import csv
import io
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, NamedTuple, Protocol

import orjson

from app.cli.ends import FileError
from app.errors import InvalidParameter

Format = Literal["table", "jsonl", "csv"]
Answer = Mapping[str, Any]
NAME: Final = "file"
"""The key and the column of a picture's name."""


class Result(NamedTuple):
    """What became of a picture."""

    name: str
    answer: Answer

    @property
    def error(self) -> Mapping[str, Any] | None:
        """The wire's `ErrorDetail` where there is no answer."""
        found: Mapping[str, Any] | None = self.answer.get("error")
        return found


@dataclass(frozen=True)
class Columns:
    """What of an answer stands in CSV and in the table."""

    csv: Mapping[str, Callable[[Answer], object]]
    table: Mapping[str, tuple[int, Callable[[Answer], str]]]  # with their widths; the last one says why not


class Sink(Protocol):
    """Takes results as they come."""

    def write(self, results: Sequence[Result]) -> None:
        """Results in order; once it returns they are kept, whatever comes."""

    def close(self) -> None:
        """There are no more."""


class Lines:
    """JSON lines or CSV, into a file or a pipe."""

    def __init__(self, out: BinaryIO, columns: Columns | None) -> None:
        """`columns` are those of CSV, None for JSON lines."""
        self._out = out
        self._columns = columns

    @classmethod
    def opened(cls, file: Path | None, columns: Columns | None, *, resume: bool) -> "Lines":
        """Into a file, or to standard output; with `resume` after what the file has. Raises FileError."""
        out: BinaryIO = sys.stdout.buffer
        if file is not None:
            try:
                out = file.open("ab" if resume else "wb", buffering=0)
            except OSError as error:
                raise _not_written(file, error) from error
        lines = cls(out, columns)
        if columns is not None and not (file is not None and resume and file.stat().st_size):
            lines._put(_csv_line(header(columns)))
        return lines

    def write(self, results: Sequence[Result]) -> None:
        """All at once, and at once. Raises FileError."""
        self._put(b"".join(map(self._line, results)))

    def close(self) -> None:
        if self._out is not sys.stdout.buffer:
            self._out.close()

    def _line(self, result: Result) -> bytes:
        if self._columns is None:
            return orjson.dumps({NAME: result.name, **result.answer}, option=orjson.OPT_APPEND_NEWLINE)
        error = result.error or {}
        cells = (None if error else cell(result.answer) for cell in self._columns.csv.values())
        return _csv_line([result.name, *cells, error.get("code"), error.get("message")])

    def _put(self, data: bytes) -> None:
        try:
            view = memoryview(data)
            while view:
                view = view[self._out.write(view) :]
            self._out.flush()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise _not_written(getattr(self._out, "name", "standard output"), error) from error


def header(columns: Columns) -> list[str]:
    """The first line of CSV."""
    return [NAME, *columns.csv, "error", "message"]


def chosen(given: Format | None, output: Path | None) -> Format:
    """The format that was asked for, or what fits: that of the file's name, a table on a terminal, else JSON lines.

    Raises InvalidParameter for a table in a file.
    """
    if given == "table" and output is not None:
        raise InvalidParameter("--output takes --format jsonl or csv: a table is for people.", parameter="format")
    if given is not None:
        return given
    if output is not None:
        return "csv" if output.suffix.lower() == ".csv" else "jsonl"
    return "table" if sys.stdout.isatty() else "jsonl"


def done_in(file: Path, columns: Columns | None) -> set[str]:
    """The names of the pictures whose results a file has, for `--resume`; a torn last line is cut off.

    Raises InvalidParameter for what is no such file, and FileError.
    """
    try:
        if not file.exists():
            return set()
        with file.open("r+b") as out:
            names, end = _csv_names(out, columns, file) if columns else _json_names(out, file)
            out.truncate(end)
            return names
    except OSError as error:
        raise _not_written(file, error) from error


def _json_names(out: BinaryIO, file: Path) -> tuple[set[str], int]:
    """The names, and where the last whole line ends."""
    names: set[str] = set()
    end = 0
    torn = False
    for number, line in enumerate(out, 1):
        if torn:
            raise _not_ours(file, number - 1)
        name = None
        with suppress(ValueError):
            row = orjson.loads(line)
            name = row.get(NAME) if isinstance(row, dict) else None
        torn = True
        if isinstance(name, str) and line.endswith(b"\n"):
            torn = False
            names.add(name)
            end += len(line)
    return names, end


def _csv_names(out: BinaryIO, columns: Columns, file: Path) -> tuple[set[str], int]:
    """The names, and where the last whole row ends: a row may have several lines."""
    names: list[str] = []
    ends = [0]  # of each line
    ended = 0  # lines of whole rows

    def lines() -> Iterator[str]:
        for line in out:
            ends.append(ends[-1] + len(line))
            if line.endswith(b"\n"):
                yield line.decode(errors="replace")

    rows = csv.reader(lines(), strict=True)
    expected = header(columns)
    with suppress(csv.Error):  # the file ends within quotes
        for row in rows:
            if len(row) != len(expected) or (not ended and row != expected):
                raise _not_ours(file, ended + 1)
            names.append(row[0])
            ended = rows.line_num
    return set(names[1:]), ends[ended]


def _csv_line(cells: Sequence[object]) -> bytes:
    line = io.StringIO()
    csv.writer(line, lineterminator="\n").writerow(cells)
    return line.getvalue().encode()


def _not_ours(file: Path, number: int) -> InvalidParameter:
    return InvalidParameter(
        f"Line {number} of {file} is none that this command has written in this format: --resume would mix two things.",
        file=str(file),
        line=number,
    )


def _not_written(file: object, error: OSError) -> FileError:
    return FileError(f"{file} cannot be written: {error.strerror}.", file=str(file))
