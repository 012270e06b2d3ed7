"""`lenet5 read`: the text of a field in each of many pictures."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

from app.cli.ends import Exit, FileError, fail, say
from app.cli.options import STDIN, File, Flattened, Results, Where, named
from app.cli.results import Answer, Columns
from app.errors import InvalidParameter
from app.serving.field_options import FieldRequest

if TYPE_CHECKING:
    from app.cli.drawings import Drawings
    from app.cli.inputs import Input
    from app.cli.many import Opened
    from app.cli.work import Answers

PIECE, PIECES = 8, 3
"""Fields that are written together, and pieces under way: the candidates of all share forward passes."""


def _why(answer: Answer) -> str:
    return "accepted" if answer["accepted"] else ", ".join(answer["reasons"])


COLUMNS: Final = Columns(
    csv={
        "text": lambda answer: answer["text"],
        "confidence": lambda answer: f"{answer['confidence']:.6f}",
        "accepted": lambda answer: str(answer["accepted"]).lower(),
        "reasons": lambda answer: " ".join(answer["reasons"]),
        "valid": lambda answer: str(answer["field"]["valid"]).lower(),
        "expected": lambda answer: f"{answer['expected']['probability']:.6f}" if answer.get("expected") else None,
        "model": lambda answer: "{name}:{version}".format(**answer["model"]),
    },
    table={
        "text": (14, lambda answer: answer["text"] or "-"),
        "confidence": (10, lambda answer: f"{answer['confidence']:.4f}"),
        "": (15, _why),
    },
)


def read(
    *files: File,
    asked: Annotated[FieldRequest | None, Flattened] = None,
    allowed: Path | None = None,
    json: bool = False,
    into: Annotated[Results | None, Flattened] = None,
    where: Annotated[Where | None, Flattened] = None,
    explain: Path | None = None,
    ray: bool = False,
) -> None:
    """Read one field, a line of digits, in each picture.

    ```sh
    lenet5 read zip.png --kind postal_code --country US # 85615  0.9929  accepted
    lenet5 read zip.png --length 5 --json               # as POST /read answers
    lenet5 read amount.png --kind amount --explain how.png
    lenet5 read fields/ scans.zip --output texts.csv    # rows as they come
    lenet5 read fields/ scans.zip --output texts.csv --resume # after Ctrl-C
    lenet5 read letter.tif                              # a field on each page
    lenet5 read fields/ --url http://127.0.0.1:8000     # by a service
    lenet5 read fields/ more.parquet --ray --output texts/ # by a cluster
    ```

    For one picture it prints the text (`-` for none), the probability that all of it is right, and `accepted` or what
    speaks against it; for several a table on a terminal, else JSON lines. What is asked of them is what may be asked
    of /read, and means the same; no option is read from a variable.

    Of a folder and of an archive PNG, JPEG, TIFF, BMP, WebP and GIF are read, at any depth; what is hidden, and links
    to folders, are left out. The pages of a TIFF are pictures of their own: letter.tif#2. A picture that cannot be read
    costs no other: its row has the error's code, and standard error a line.

    Exit codes: 0 when every picture has an answer, accepted or not; 1 when some have none, or a file, the model or the
    service cannot be used; 2 for a wrong option; 130 after Ctrl-C, and what was done is kept. A line on standard error
    says why, and ends with the error's stable code, such as [invalid_image].

    Parameters
    ----------
    files
        Pictures, folders, globs, zip archives, or `-` for standard input.
    asked
        As /read takes it.
    allowed
        A file with the strings that may occur, one a line.
    json
        All that was found, as /read answers it; of several pictures a line for each.
    into
        Where results go.
    where
        Where pictures are read.
    explain
        Draw how each field was read: a PNG of this name for one picture, else into this folder.
    ray
        Read on all machines of a Ray cluster, also of Parquet, into a folder of Parquet.
    """
    asked = asked or FieldRequest.model_validate({})
    into, where = into or Results.model_validate({}), where or Where.model_validate({})
    if json and into.format not in (None, "jsonl"):
        raise InvalidParameter("--json is --format jsonl: give one of them.", parameter="json")
    if explain is not None and where.url is not None:
        raise InvalidParameter("--explain draws what is read here, not at a --url.", parameter="explain")
    if ray:
        _by_a_cluster(files, asked, allowed, into, where, other=json or explain is not None)
        return
    from app.cli.drawings import Drawings  # noqa: PLC0415 - --help must come quickly
    from app.cli.many import inputs_of, run  # noqa: PLC0415
    from app.cli.work import Pace  # noqa: PLC0415

    texts = None if allowed is None else _text(allowed)
    alone = into.format is None and into.output is None
    if json:
        into = into.model_copy(update={"format": "jsonl"})
    inputs = inputs_of(named(files), into, COLUMNS)
    drawings = None if explain is None else Drawings(explain, inputs)

    def answers() -> "AbstractAsyncContextManager[Answers]":
        return _answers(asked, texts, where, drawings)

    if alone and (picture := inputs.only()) is not None:
        _one(picture, answers, json=json)
    else:
        run(inputs, into, COLUMNS, answers, Pace(PIECE, PIECES))


def _by_a_cluster(
    files: Sequence[str], asked: FieldRequest, allowed: Path | None, into: Results, where: Where, *, other: bool
) -> None:
    """Raises InvalidParameter for options that mean nothing there, and what `read_everywhere` raises."""
    if into.output is None or into.format is not None or where.url is not None or other:
        raise InvalidParameter(
            "--ray writes Parquet into a folder: it needs --output FOLDER, and takes no --url, --format, --json or "
            "--explain.",
            parameter="ray",
        )
    if STDIN in named(files):
        raise InvalidParameter("--ray reads files, not standard input.", parameter="files")
    try:
        from app.cli.everywhere import read_everywhere  # noqa: PLC0415 - only an installation with ray has it
    except ModuleNotFoundError as error:
        raise InvalidParameter(f"--ray needs the extra ray: {error.name} is not installed.", parameter="ray") from error
    texts = None if allowed is None else _text(allowed)
    tally = read_everywhere(files, into.output, asked, texts, where, resume=into.resume)
    say(str(tally))
    if tally.failed:
        raise SystemExit(int(Exit.FAILED))


@asynccontextmanager
async def _answers(
    asked: FieldRequest, allowed: str | None, where: Where, drawings: "Drawings | None"
) -> "AsyncIterator[Answers]":
    if where.url is None:
        from app.cli.here import FieldsHere, engine_of  # noqa: PLC0415
        from app.serving.field_answer import format_of  # noqa: PLC0415

        field = format_of(asked, allowed)
        async with engine_of("field", model=asked.model, model_dir=where.model_dir, device=where.device) as engine:
            yield FieldsHere(engine, asked, field, None if drawings is None else drawings.draw_field)
    else:
        from app.cli.there import FieldsThere, client_of  # noqa: PLC0415

        async with client_of(where) as client:
            yield FieldsThere(client, asked, allowed)


def _one(one: "Input", answers: "Opened", *, json: bool) -> None:
    """The answer to one picture, for people or as it is. Raises ServiceError."""
    from app.cli.work import Picture, until_stopped  # noqa: PLC0415

    try:
        data = one.load()
    except FileError as error:
        raise FileError(f"{one.name}: {error.message}", file=one.name) from error

    async def answer() -> dict[str, Any]:
        async with answers() as answering:
            return (await answering([Picture(one.name, data)]))[0]

    found = until_stopped(answer)
    if "error" in found:
        fail("{message} [{code}]".format(**found["error"]))
    print(dumps(found) if json else _one_line(found))  # noqa: T201 - a command's answer


def _one_line(answer: Answer) -> str:
    """What was read, for people."""
    expected = "  expected {text} {probability:.4f}".format(**answer["expected"]) if answer.get("expected") else ""
    return f"{answer['text'] or '-'}  {answer['confidence']:.4f}  {_why(answer)}{expected}"


def _text(file: Path) -> str:
    """A file's text. Raises FileError, and InvalidParameter for what is no UTF-8."""
    try:
        return file.read_bytes().decode("utf-8-sig")
    except OSError as error:
        raise FileError(f"{file} cannot be read: {error.strerror}.", file=str(file)) from error
    except UnicodeDecodeError:
        raise InvalidParameter(f"{file} is no text in UTF-8.", file=str(file)) from None
