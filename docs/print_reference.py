"""Prints docs/reference.md from the code: `python docs/print_reference.py > docs/reference.md`."""

from collections.abc import Iterator

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
