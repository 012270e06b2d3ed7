"""Pictures and results in Parquet, for `lenet5 read --ray`.

A picture is a row with its encoded bytes in the column `bytes`, and may have its name in `file`. Results lie in a
folder as part-*.parquet, each written at once and whole; all of them together are the table.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

import pyarrow
from pyarrow import parquet

from app.cli.ends import FileError, text_of
from app.cli.inputs import Input
from app.cli.results import NAME, Result
from app.errors import InvalidParameter
from app.lenet.atomic_file import write_file

SUFFIX: Final = ".parquet"
BYTES: Final = "bytes"
"""The column of the encoded pictures."""
SCHEMA: Final = pyarrow.schema(
    {
        NAME: pyarrow.string(),
        "text": pyarrow.string(),
        "confidence": pyarrow.float64(),
        "accepted": pyarrow.bool_(),
        "reasons": pyarrow.list_(pyarrow.string()),
        "valid": pyarrow.bool_(),
        "expected": pyarrow.float64(),
        "model": pyarrow.string(),
        "error": pyarrow.string(),
        "message": pyarrow.string(),
    }
)
"""Of the results; the columns are those of CSV."""


def groups(file: str) -> list[int]:
    """How many pictures each row group of a file has. Raises FileError."""
    try:
        with parquet.ParquetFile(file) as table:
            if BYTES in table.schema_arrow.names:
                return [table.metadata.row_group(group).num_rows for group in range(table.num_row_groups)]
    except (OSError, pyarrow.ArrowException) as error:
        raise FileError(f"{file} cannot be read as Parquet: {error}.", file=file) from error
    raise FileError(f"{file} has no column {BYTES!r} with encoded pictures.", file=file)


def pictures(file: str, group: int) -> Iterator[Input]:
    """The pictures of a row group, named FILE/NAME, or FILE#ROW where they have no names."""
    with parquet.ParquetFile(file) as table:
        before = sum(table.metadata.row_group(one).num_rows for one in range(group))
        named = NAME in table.schema_arrow.names
        rows = table.read_row_group(group, columns=[BYTES, NAME] if named else [BYTES])
    names = rows.column(NAME) if named else [None] * rows.num_rows
    for place, (name, content) in enumerate(zip(names, rows.column(BYTES), strict=True), 1):
        own = f"#{before + place}" if name is None or not name.is_valid else f"/{name.as_py()}"
        yield Input(text_of(file) + own, partial(_bytes, content))


def _bytes(content: pyarrow.Scalar) -> bytes:
    """Of a cell; none where it is null."""
    return content.as_py() or b""


def done_in(folder: Path) -> set[str]:
    """The names of the pictures that have a result. Raises InvalidParameter for what this command has not written."""
    done: set[str] = set()
    for part in sorted(folder.glob(f"*{SUFFIX}")):
        try:
            with parquet.ParquetFile(part) as table:
                ours = table.schema_arrow.equals(SCHEMA)
                done.update(table.read([NAME]).column(NAME).to_pylist() if ours else ())
        except (OSError, pyarrow.ArrowException):
            ours = False
        if not ours:
            raise InvalidParameter(
                f"{part} is nothing that this command has written: --resume would mix two things.", file=str(part)
            )
    return done


def write_part(folder: Path, results: Sequence[Result]) -> None:
    """Keep results. Whoever writes those of the same pictures once more, as after a fault, puts them in their place.

    Raises OSError.
    """
    names = "\0".join(result.name for result in results)
    table = pyarrow.Table.from_pylist([_row(result) for result in results], SCHEMA)
    content = pyarrow.BufferOutputStream()
    parquet.write_table(table, content)
    write_file(folder / f"part-{sha256(names.encode()).hexdigest()[:32]}{SUFFIX}", content.getvalue().to_pybytes())


def _row(result: Result) -> dict[str, Any]:
    answer, error = result.answer, result.error
    if error is not None:
        return {NAME: result.name, "error": error["code"], "message": error["message"]}
    expected = answer.get("expected")
    return {
        NAME: result.name,
        **{key: answer[key] for key in ("text", "confidence", "accepted", "reasons")},
        "valid": answer["field"]["valid"],
        "expected": expected["probability"] if expected else None,
        "model": "{name}:{version}".format(**answer["model"]),
    }
