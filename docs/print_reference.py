"""Prints docs/reference.md from the code: `python docs/print_reference.py > docs/reference.md`."""

from collections.abc import Iterator
from importlib import import_module
from inspect import getdoc
from io import StringIO

from rich.console import Console

from app.cli import COMMANDS, app
from app.cli.ends import Exit
from app.errors import DeviceUnavailable, ModelError, RequestError, ServiceError, StartFailed, Unavailable
from app.serving.metrics import Metrics
from app.settings import Settings


def main() -> None:
    """Print the page."""
    print("# Reference\n\nPrinted from the code by `python docs/print_reference.py`; a test compares the two.\n")
    print("## Settings\n\nA flag of `lenet5 serve`, or an environment variable; a flag wins.\n")
    print("| flag | variable | default | |\n|---|---|---|---|")
    for name, field in Settings.model_fields.items():
        default = "" if field.default is None else f"`{field.default}`"
        print(f"| `--{name.replace('_', '-')}` | `LENET5_{name.upper()}` | {default} | {field.description} |")
    print('\n## Errors\n\nEvery 4xx and 5xx body is `{"error": {"code", "message", "details"}}`.\n')
    print("| status | code | |\n|---|---|---|")
    rows = {(kind.status, kind.code): first_line(kind) for kind in answered(ServiceError)}
    for (status, code), text in sorted(rows.items()):
        print(f"| {status} | `{code}` | {text} |")
    print("\n## Metrics\n\n`GET /metrics`, Prometheus' text format; several workers are added up.\n")
    print("| name | type | labels | |\n|---|---|---|---|")
    for metric in vars(Metrics()).values():
        if hasattr(metric, "describe"):
            family = metric.describe()[0]
            name = f"{family.name}_total" if family.type == "counter" else family.name
            labels = ", ".join(f"`{label}`" for label in metric._labelnames)
            print(f"| `{name}` | {family.type} | {labels} | {family.documentation} |")
    print("\n## The command line\n\n[command_line.md](command_line.md) explains what `lenet5 COMMAND --help` says.\n")
    print("| exit code | |\n|---|---|")
    for code in Exit:
        print(f"| {int(code)} | {code.meaning} |")
    for command in COMMANDS:
        print(f"\n### lenet5 {command}\n\n{described(command)}")
        if command != "serve":  # its options are the settings above
            print("\n| | |\n|---|---|")
            for option, text in options(command):
                print(f"| `{option}` | {text.replace('|', '&#124;')} |")


def described(command: str) -> str:
    """A command's description, which is Markdown."""
    function = getattr(import_module(f"app.cli.{command}"), command)
    return getdoc(function).partition("\n\nParameters\n---")[0]


def options(command: str) -> Iterator[tuple[str, str]]:
    """A command's arguments and options with what its help says of them, each on a line of its own."""
    app.help_formatter = "plain"
    app.help_print([command], console=Console(file=(shown := StringIO()), width=2000))
    for line in shown.getvalue().splitlines():
        name, colon, text = line.strip().partition(": ")
        if line.startswith("  ") and colon:
            yield name, text


def answered(kind: type[ServiceError]) -> Iterator[type[ServiceError]]:
    """The classes that a request can be answered with: not those of start-up, nor those that only group others."""
    if kind in START_UP:
        return
    if kind not in GROUPS:
        yield kind
    for child in kind.__subclasses__():
        yield from answered(child)


GROUPS = {RequestError, Unavailable}
START_UP = {ModelError, DeviceUnavailable, StartFailed}


def first_line(kind: type[ServiceError]) -> str:
    """A class's one sentence."""
    return (kind.__doc__ or "").splitlines()[0]


if __name__ == "__main__":
    main()
