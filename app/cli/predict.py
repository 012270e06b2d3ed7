"""`lenet5 predict`: the digit in each of many pictures."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

from app.cli.options import File, Flattened, Results, Where, named
from app.cli.results import Columns
from app.serving.digit_options import DigitRequest

if TYPE_CHECKING:
    from app.cli.work import Answers

PIECE, PIECES = 128, 3
"""Pictures that are written together, as many as a forward pass takes, and pieces under way."""
DRAWN: Final = 8
"""The same where each is drawn, which takes a thousand times as long."""
COLUMNS: Final = Columns(
    csv={
        "digit": lambda answer: answer["digit"],
        "confidence": lambda answer: f"{answer['confidence']:.6f}",
        "accepted": lambda answer: str(answer["accepted"]).lower(),
        "reasons": lambda answer: " ".join(answer["reasons"]),
        "model": lambda answer: "{name}:{version}".format(**answer["model"]),
    },
    table={
        "digit": (5, lambda answer: str(answer["digit"])),
        "confidence": (10, lambda answer: f"{answer['confidence']:.4f}"),
        "": (27, lambda answer: "accepted" if answer["accepted"] else ", ".join(answer["reasons"])),
    },
)


def predict(
    *files: File,
    asked: Annotated[DigitRequest | None, Flattened] = None,
    into: Annotated[Results | None, Flattened] = None,
    where: Annotated[Where | None, Flattened] = None,
    explain: Path | None = None,
) -> None:
    """Read one digit in each picture.

    ```sh
    lenet5 predict 7.png                                # a table on a terminal
    lenet5 predict folder/ 'more/*.tif' scans.zip       # with all below; archives
    lenet5 predict folder/ --output digits.csv          # rows as they come
    lenet5 predict folder/ --output digits.csv --resume # goes on after Ctrl-C
    curl -s http://host/7.png | lenet5 predict -        # standard input
    lenet5 predict folder/ --url http://127.0.0.1:8000  # by a service
    lenet5 predict 7.png --explain seven.png            # what the network saw
    ```

    Of a folder and of an archive PNG, JPEG, TIFF, BMP, WebP and GIF are read, at any depth; what is hidden, and links
    to folders, are left out. The pages of a TIFF are pictures of their own: letter.tif#2.

    A picture that cannot be read costs no other: its row has the error's code, and standard error a line. Rows come in
    the order of the pictures. JSON lines have all that POST /predict answers, CSV and the table less.

    Exit codes: 0 when every picture has an answer, accepted or not; 1 when some have none, or the model or the service
    cannot be used; 2 for a wrong option; 130 after Ctrl-C, and what was done is kept.

    Parameters
    ----------
    files
        Pictures, folders, globs, zip archives, or `-` for standard input.
    asked
        As /predict takes it.
    into
        Where results go.
    where
        Where pictures are read.
    explain
        Draw what the network saw and said: a PNG of this name for one picture, else into this folder.
    """
    asked = asked or DigitRequest.model_validate({})
    into, where = into or Results.model_validate({}), where or Where.model_validate({})
    from app.cli.drawings import DigitsDrawn, Drawings  # noqa: PLC0415 - --help must come quickly
    from app.cli.many import inputs_of, run  # noqa: PLC0415
    from app.cli.work import Pace  # noqa: PLC0415

    inputs = inputs_of(named(files), into, COLUMNS)
    drawings = None if explain is None else Drawings(explain, inputs)

    @asynccontextmanager
    async def answers() -> "AsyncIterator[Answers]":
        async with _answers(asked, where) as answering:
            yield answering if drawings is None else DigitsDrawn(answering, drawings)

    piece = PIECE if drawings is None else DRAWN
    run(inputs, into, COLUMNS, answers, Pace(piece, PIECES, hand_over=where.url is not None))


@asynccontextmanager
async def _answers(asked: DigitRequest, where: Where) -> "AsyncIterator[Answers]":
    if where.url is None:
        from app.cli.here import DigitsHere, engine_of  # noqa: PLC0415

        async with engine_of("digit", model=asked.model, model_dir=where.model_dir, device=where.device) as engine:
            yield DigitsHere(engine, asked)
    else:
        from app.cli.there import DigitsThere, client_of  # noqa: PLC0415

        async with client_of(where) as client:
            yield DigitsThere(client, asked)
