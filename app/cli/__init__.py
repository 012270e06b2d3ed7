"""The command line: a module for each command, imported when it is asked for, since some must start quickly."""

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Final, NoReturn

import cyclopts

from app.cli.ends import Exit, Interrupted, fail, refuse, say
from app.errors import InvalidParameter, ServiceError


class _NamesOfVariables(cyclopts.config.Env):
    """Puts the variables into --help. pydantic-settings alone reads them, for which an empty one is none."""

    def __call__(self, *_: object) -> None:
        pass


app = cyclopts.App(
    name="lenet5",
    help="""Reads handwritten digits with LeNet-5: here, or as a service over HTTP.

    ```sh
    lenet5 predict folder/        # the digit in each picture of a folder
    lenet5 read zip.png --kind postal_code --country US   # a line of digits
    lenet5 serve                  # both for other programs, over HTTP
    ```

    `lenet5 COMMAND --help` has the options of a command, with examples.

    Exit codes: 0 all is done; 1 something failed, and a line or a row says what; 2 a wrong option; 130 interrupted,
    and what was done is kept.
    """,
    version=lambda: version("lenet5-serve"),
    default_parameter=cyclopts.Parameter(negative_iterable=()),
)
COMMANDS: Final = ("serve", "predict", "read", "models", "bench", "health")
for _place, _name in enumerate(COMMANDS):
    _serves = _name == "serve"
    app.command(
        f"app.cli.{_name}:{_name}",
        name=_name,
        sort_key=_place,
        config=_NamesOfVariables("LENET5_", command=False) if _serves else None,
        default_parameter=None if _serves else cyclopts.Parameter(negative=()),
    )


def leave(interrupted: Interrupted) -> NoReturn:
    """End the process at once, whatever its threads still wait for, such as the end of standard input."""
    say(str(interrupted))
    sys.stdout.flush()
    os._exit(interrupted.code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script; without arguments it takes the process's own."""
    tokens = sys.argv[1:] if arguments is None else arguments
    if not tokens or tokens[0] not in COMMANDS:
        for name in COMMANDS:
            app[name]  # is imported, so that `lenet5 --help` has its line
    try:
        app(tokens, exit_on_error=False, print_error=False)
    except ServiceError as error:
        refuse(error)
    except Interrupted as interrupted:
        leave(interrupted)
    except BrokenPipeError:  # who reads the results has seen enough, as `head` does
        os._exit(Exit.PIPE)
    except (cyclopts.CycloptsError, ValueError) as error:
        fail(f"{_explain(error)} [{InvalidParameter.code}]", Exit.WRONG)


def _explain(error: Exception) -> str:
    """What is wrong with an option or a variable."""
    from pydantic import ValidationError  # noqa: PLC0415 - `lenet5 health` does without

    cause = error if isinstance(error, ValueError) else error.__cause__
    if not isinstance(cause, ValidationError):
        if isinstance(error, ValueError):
            raise error  # a fault of ours
        return str(error)
    from app.settings import Settings  # noqa: PLC0415

    first = cause.errors()[0]
    name = str(first["loc"][0])
    variable = f" (LENET5_{name.upper()})" if name in Settings.model_fields else ""
    return f"--{name.replace('_', '-')}{variable}: {first['msg']}, not {first['input']!r}"
