"""The options that `lenet5 predict` and `lenet5 read` share: where the work is done, and where its results go."""

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final, Literal, Self

import cyclopts
from pydantic import BaseModel, Field, model_validator

from app.cli.results import Format
from app.errors import InvalidParameter

STDIN: Final = "-"
"""What stands for standard input."""
File = Annotated[str, cyclopts.Parameter(allow_leading_hyphen=True, negative=())]
"""A file, folder, glob, or `-` for standard input, which would be taken for an option otherwise: see `named`."""
Flattened = cyclopts.Parameter(name="*")


class Where(BaseModel):
    """Where pictures are read: in this process, or by a service."""

    url: str | None = Field(
        None,
        description=(
            "Have a service do it, such as http://127.0.0.1:8000; a key that it asks for is the variable "
            "LENET5_API_KEY."
        ),
    )
    model_dir: Path | None = Field(
        None, description="Folder with NAME/VERSION/ models; by default the weights that come with the program."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        "cpu", description="Where forward passes run; auto is CUDA where it can be had."
    )
    concurrency: int = Field(4, ge=1, le=256, description="Requests under way at a time, with --url.")
    timeout: float = Field(60, gt=0, le=86_400, description="Seconds for one request, retries included, with --url.")

    @model_validator(mode="after")
    def _one_place(self) -> Self:
        if self.url is not None and (self.model_dir is not None or self.device != "cpu"):
            raise InvalidParameter("With --url the service has chosen its models and its device.", parameter="url")
        return self


class Results(BaseModel):
    """Where results go."""

    format: Format | None = Field(
        None,
        description=(
            "By default that of --output's name (.csv is CSV, any other JSON lines), a table on a terminal, "
            "else JSON lines."
        ),
    )
    output: Path | None = Field(None, description="A file for the results; it is written anew, but for --resume.")
    resume: bool = Field(
        False, description="Go on after an interruption: what --output already has is kept and not done again."
    )

    @model_validator(mode="after")
    def _into_a_file(self) -> Self:
        if self.resume and self.output is None:
            raise InvalidParameter("--resume goes on in a file: it needs --output.", parameter="resume")
        return self


def api_key() -> str | None:
    """The key that a service may ask for. A variable, since other users see a process's options.

    Raises InvalidParameter for one that no header can hold; an empty one is none.
    """
    key = os.environ.get("LENET5_API_KEY") or None
    if key is not None and not (key.isascii() and key.isprintable()):
        raise InvalidParameter("LENET5_API_KEY is not of printable ASCII characters.", parameter="api_key")
    return key


def named(files: Sequence[str]) -> Sequence[str]:
    """The files that a command was given. Raises InvalidParameter for none, and for what was meant as an option."""
    if not files:
        raise InvalidParameter("Name a picture, a folder, a glob, or - for standard input.", parameter="files")
    for file in files:
        if file.startswith("-") and file != STDIN:
            raise InvalidParameter(f'Unknown option: "{file}". A file of this name is "./{file}".', parameter="files")
    return files
