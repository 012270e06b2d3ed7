"""How a command ends: its exit code, and one line on standard error where there is something to say."""

import sys
from collections.abc import Callable
from enum import IntEnum
from typing import NoReturn

from app.errors import CountryNotSupported, InvalidParameter, ServiceError


class Exit(IntEnum):
    """The exit codes of all commands."""

    meaning: str

    def __new__(cls, code: int, meaning: str) -> "Exit":
        """An exit code, with what it says."""
        one = int.__new__(cls, code)
        one._value_ = code
        one.meaning = meaning
        return one

    DONE = 0, "All that was asked for is done: every picture has an answer, accepted or not."
    FAILED = 1, "Some pictures have no answer, and their rows say why; or nothing could be done at all."
    WRONG = 2, "An option is wrong."
    INTERRUPTED = 130, "Ctrl-C; what was done is kept. 143 after SIGTERM."
    PIPE = 141, "Who reads the results has gone, as `head` does."


class FileError(ServiceError):
    """A file cannot be read, or written."""

    code = "file_error"


class ClusterError(ServiceError):
    """A process of the cluster that `lenet5 read --ray` works on has failed."""

    code = "cluster_error"


class Interrupted(Exception):
    """A signal has ended the work; `code` is the exit code."""

    def __init__(self, code: int, kept: str = "") -> None:
        """`kept` says what is left of it."""
        super().__init__(f"Interrupted{': ' if kept else '.'}{kept}")
        self.code = code


def say(line: str) -> None:
    """One line on standard error, whatever stands in it."""
    print("lenet5: " + printable(" ".join(line.split())), file=sys.stderr, flush=True)  # noqa: T201


def fail(line: str, code: int = Exit.FAILED) -> NoReturn:
    """One line on standard error, and the exit code."""
    say(line)
    raise SystemExit(int(code))


def refuse(error: ServiceError) -> NoReturn:
    """An error's one line with its stable code, and exit code 2 where an option is wrong, else 1."""
    wrong = isinstance(error, InvalidParameter | CountryNotSupported)
    fail(f"{error.message} [{error.code}]", Exit.WRONG if wrong else Exit.FAILED)


def text_of(name: str) -> str:
    """A file's name as text: bytes that are no UTF-8, which Python keeps as surrogates, are written `\\xff`."""
    return name.encode(errors="surrogateescape").decode(errors="backslashreplace")


def printable(text: str) -> str:
    """The same without what would steer a terminal."""
    escaped: Callable[[str], str] = lambda char: char.encode("unicode_escape", "backslashreplace").decode()  # noqa: E731
    return "".join(char if char.isprintable() else escaped(char) for char in text_of(text))
