"""The command line: `lenet5 serve`, `lenet5 health` and `lenet5 read`."""

import http.client
import os
import sys
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from json import dumps
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NoReturn
from urllib.parse import urlsplit

import cyclopts
from pydantic import ValidationError

from app.errors import CountryNotSupported, InvalidParameter, ServiceError
from app.metrics_folder import VARIABLE
from app.serving.field_options import FieldRequest
from app.settings import Settings

if TYPE_CHECKING:
    import socket

HEALTH_TIMEOUT = 3.0  # seconds


class _NamesOfVariables(cyclopts.config.Env):
    """Puts the variables into --help. pydantic-settings alone reads them, for which an empty one is none."""

    def __call__(self, *_: object) -> None:
        pass


app = cyclopts.App(
    name="lenet5",
    help="Serves LeNet-5, which reads handwritten digits, over HTTP.",
    version=lambda: version("lenet5-serve"),
    default_parameter=cyclopts.Parameter(negative_iterable=()),
)


@app.command(config=_NamesOfVariables("LENET5_", command=False))
def serve(*, settings: Annotated[Settings | None, cyclopts.Parameter(name="*")] = None) -> None:
    """Serve digits over HTTP until SIGTERM or Ctrl-C.

    With no option the model that comes with the service answers on http://127.0.0.1:8000: send a picture of a digit
    to it with `curl -F file=@digit.png http://127.0.0.1:8000/predict`, or open /docs in a browser.

    To be reached from other machines: `lenet5 serve --host 0.0.0.0`. To use more cores: `lenet5 serve --workers 4`.
    To serve weights of your own: `lenet5 serve --model-dir DIR`, where DIR holds NAME/VERSION/ folders.

    A signal drains: /health/ready says 503 and requests are served on for --drain-delay; then nothing new is taken,
    and what was accepted is answered within --drain-timeout. A second Ctrl-C leaves at once.

    Every option is also an environment variable; an option wins, and an empty variable counts as unset. Exit codes:
    0 after a shutdown that was asked for, 1 when it could not start (one line on standard error says why), 2 for a
    wrong option.
    """
    settings = settings or Settings()
    from app.logs import configure, why  # noqa: PLC0415 - `lenet5 health` must start quickly

    configure(level=settings.log_level, form=settings.log_format)
    try:
        from app.server import bind  # noqa: PLC0415

        with bind(settings) as listener:
            (_serve_many if settings.workers > 1 else _serve_one)(settings, listener)
    except Exception as error:  # noqa: BLE001 - one line, whatever it is
        _fail(why(error), 1)


@app.command
def health(url: str | None = None, /) -> None:
    """Exit with 0 when the service at the URL is ready to answer, else with 1 and a line that says why.

    Parameters
    ----------
    url
        The service's root; by default the one that LENET5_HOST and LENET5_PORT name on this machine.
    """
    if url is None:
        settings = Settings()
        host = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(settings.host, settings.host)  # noqa: S104 - compared only
        url = f"http://[{host}]:{settings.port}" if ":" in host else f"http://{host}:{settings.port}"
    try:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("it has no http:// or no host")
        kind = http.client.HTTPSConnection if parts.scheme == "https" else http.client.HTTPConnection
        connection = kind(parts.hostname, parts.port, timeout=HEALTH_TIMEOUT)
    except (ValueError, http.client.InvalidURL) as error:
        _fail(f"{url!r} is not the URL of a service, such as http://127.0.0.1:8000: {error}", 1)
    try:
        connection.request("GET", parts.path.rstrip("/") + "/health/ready", headers={"Connection": "close"})
        status = connection.getresponse().status
    except (OSError, http.client.HTTPException, ValueError) as error:
        _fail(f"{url} does not answer: {error or type(error).__name__}", 1)
    if status != http.HTTPStatus.OK:
        _fail(f"{url} is not ready: HTTP {status}", 1)
    print("ready")  # noqa: T201 - a command's answer


@app.command(default_parameter=cyclopts.Parameter(negative=()))
def read(
    file: Path,
    /,
    *,
    asked: Annotated[FieldRequest | None, cyclopts.Parameter(name="*")] = None,
    allowed: Path | None = None,
    model_dir: Path | None = None,
    json: bool = False,
    explain: Path | None = None,
) -> None:
    """Read one field in a picture, without a service.

    Prints the text, the probability that all of it is right, and `accepted` or what speaks against it; with --json
    exactly what POST /read answers. The options are those of /read and mean the same; none is read from a variable.

    Exit codes: 0 when there is an answer, accepted or not; 1 when a file or the model cannot be used; 2 for a wrong
    option. One line on standard error says why, and ends with the error's stable code, such as [invalid_image].

    Parameters
    ----------
    file
        The picture: one line of digits.
    asked
        As /read takes it.
    allowed
        A file with the strings that may occur, one a line.
    model_dir
        Folder with NAME/VERSION/ models; by default the weights that come with the service.
    json
        Print all that was found, as /read answers it.
    explain
        Draw how the field was read, as a PNG of this name.
    """
    asked = asked or FieldRequest.model_validate({})
    from app.read_file import FileReader, content, text, write_explanation  # noqa: PLC0415 - must start quickly too
    from app.serving.field_answer import format_of  # noqa: PLC0415

    try:
        field = format_of(asked, None if allowed is None else text(allowed))
        with FileReader.opened(model_dir, asked.model) as reader:
            found = reader.read(content(file), field, asked, graph=explain is not None)
        if explain is not None:
            write_explanation(explain, found)
    except ServiceError as error:
        _refuse(error)
    print(dumps(found.answer) if json else _one_line(found.answer))  # noqa: T201 - a command's answer


def _one_line(answer: Mapping[str, Any]) -> str:
    """What was read, for people."""
    why = "accepted" if answer["accepted"] else ", ".join(answer["reasons"])
    expected = "  expected {text} {probability:.4f}".format(**answer["expected"]) if "expected" in answer else ""
    return f"{answer['text'] or '-'}  {answer['confidence']:.4f}  {why}{expected}"


def _serve_one(settings: Settings, listener: "socket.socket") -> None:
    os.environ.pop(VARIABLE, None)  # one process counts in its own memory
    from app.main import create_app  # noqa: PLC0415
    from app.server import serve as serve_here  # noqa: PLC0415

    service = create_app(settings)
    models = [model.spec for model in service.state.service.engine.registry.served]
    serve_here(service, listener, settings, listening=lambda: _say_where(settings, listener, ", ".join(models)))


def _serve_many(settings: Settings, listener: "socket.socket") -> None:
    from app.supervisor import Supervisor  # noqa: PLC0415

    Supervisor(settings, listener).run(listening=lambda: _say_where(settings, listener, f"{settings.workers} workers"))


def _say_where(settings: Settings, listener: "socket.socket", what: str) -> None:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    where = f"http://{host}:{listener.getsockname()[1]}"
    print(f"lenet5-serve {version('lenet5-serve')} listens on {where} ({what})", file=sys.stderr, flush=True)  # noqa: T201


def _refuse(error: ServiceError) -> NoReturn:
    """An error's one line with its stable code, and exit code 2 where an option is wrong, else 1."""
    _fail(f"{error.message} [{error.code}]", 2 if isinstance(error, InvalidParameter | CountryNotSupported) else 1)


def _fail(message: str, code: int) -> NoReturn:
    """One line on standard error, and the exit code."""
    print("lenet5: " + " ".join(message.split()), file=sys.stderr)  # noqa: T201
    raise SystemExit(code)


def main(arguments: Sequence[str] | None = None) -> None:
    """The console script; without arguments it takes the process's own."""
    try:
        app(arguments, exit_on_error=False, print_error=False)
    except InvalidParameter as error:  # options that contradict each other
        _refuse(error)
    except (cyclopts.CycloptsError, ValidationError) as error:
        _fail(f"{_explain(error)} [{InvalidParameter.code}]", 2)


def _explain(error: Exception) -> str:
    """What is wrong with an option or a variable."""
    cause = error if isinstance(error, ValidationError) else error.__cause__
    if not isinstance(cause, ValidationError):
        return str(error)
    first = cause.errors()[0]
    name = str(first["loc"][0])
    variable = f" (LENET5_{name.upper()})" if name in Settings.model_fields else ""
    return f"--{name.replace('_', '-')}{variable}: {first['msg']}, not {first['input']!r}"
