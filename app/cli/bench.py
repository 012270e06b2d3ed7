"""`lenet5 bench`: how much a service answers, and how fast."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from json import dumps
from typing import TYPE_CHECKING, Annotated, Final, Literal

import cyclopts

from app.cli.ends import Exit, Interrupted, fail, say
from app.cli.options import File, api_key, named
from app.errors import InvalidParameter, ServiceError

if TYPE_CHECKING:
    from app.cli.load import Measured, Target

GAIN: Final = 0.05
"""Twice as many callers who get less than so much more have found the most that the service answers."""
NOTE: Final = (
    "Measured by a client in Python, in one process: a lower bound. Where it took most of a core itself the service "
    "may answer more; where both run on one machine they take the processor from each other."
)


@dataclass(frozen=True)
class Row:
    """One number of callers."""

    callers: int
    rate: float  # answers with 200 a second
    p50: float | None  # seconds
    p95: float | None
    p99: float | None
    errors: dict[str, int]  # what -> how often
    client_cpu: float  # share of a core that the callers took


def bench(
    url: str,
    /,
    *files: File,
    endpoint: Literal["predict", "read"] = "predict",
    seconds: Annotated[float, cyclopts.Parameter(validator=cyclopts.validators.Number(gt=0, lte=3600))] = 3.0,
    callers: Annotated[int, cyclopts.Parameter(validator=cyclopts.validators.Number(gte=1, lte=4096))] = 256,
    json: bool = False,
) -> None:
    """Measure a service: answers a second, latency and errors, from 1 caller to many.

    ```sh
    lenet5 bench http://127.0.0.1:8000              # with digits made here
    lenet5 bench http://127.0.0.1:8000 my-digits/   # with pictures of your own
    lenet5 bench http://127.0.0.1:8000 fields/ --endpoint read
    lenet5 bench http://127.0.0.1:8000 --json > rates.json
    ```

    Each caller sends one picture at a time and the next once it is answered (a closed loop). Their number doubles
    until two doublings bring less than 5 % more, or there are --callers of them. It is a client in Python, so what it
    finds is a lower bound; the column `client` says how much of a core it took itself. A key that the service asks for
    is the variable LENET5_API_KEY.

    It loads the service as far as it goes: do not point it at one that others need.

    Exit codes: 0 with a measurement; 1 when nothing was answered; 2 for a wrong option; 130 after Ctrl-C, with what
    was measured until then.

    Parameters
    ----------
    url
        The service's root.
    files
        Pictures to send in turn, as `lenet5 predict` takes them; without any, digits made here.
    endpoint
        Which is asked: /predict, or /read with its defaults.
    seconds
        For each number of callers.
    callers
        The most there will be.
    json
        Print one JSON object instead of a table.
    """
    from app.cli.load import Target  # noqa: PLC0415 - --help must come quickly

    target = Target.of(url, f"/{endpoint}")
    key = api_key()
    requests = [target.request(picture, key) for picture in (_pictures(named(files)) if files else _samples())]
    rows: list[Row] = []
    code = int(Exit.DONE)
    try:
        for found in _ramp(target, requests, seconds, callers):
            rows.append(_row(found))
            if not json:
                _print(rows[-1], first=len(rows) == 1)
            if _saturated(rows) or not found.latencies:
                break
    except Interrupted as interrupted:
        say("Interrupted.")
        code = interrupted.code
    if json:
        print(dumps(_summary(rows)))  # noqa: T201 - a command's answer
    elif any(row.rate for row in rows):
        print(f"\n{_verdict(rows)}\n{NOTE}")  # noqa: T201
    if code:
        raise SystemExit(code)
    if not any(row.rate for row in rows):
        errors = ", ".join(f"{what} x {n}" for what, n in rows[-1].errors.items())
        fail(f"{url} has answered nothing with 200: {errors or 'no answer came in time'}")


def _ramp(target: "Target", requests: Sequence[bytes], seconds: float, most: int) -> "Iterator[Measured]":
    """1, 2, 4, ... callers. Raises Interrupted."""
    from app.cli.load import measured  # noqa: PLC0415
    from app.cli.work import until_stopped  # noqa: PLC0415

    callers = 1
    while callers <= most:
        yield until_stopped(lambda: measured(target, requests, callers, seconds=seconds))  # noqa: B023 - done before the next
        callers *= 2


def _row(found: "Measured") -> Row:
    p50, p95, p99 = (found.percentile(share) for share in (0.5, 0.95, 0.99))
    return Row(found.callers, round(found.rate, 1), p50, p95, p99, dict(found.errors), round(found.busy, 2))


def _saturated(rows: Sequence[Row]) -> bool:
    """Whether the last two doublings brought next to nothing: one alone may be chance."""
    return len(rows) > 2 and max(row.rate for row in rows[-2:]) < (1 + GAIN) * max(row.rate for row in rows[:-2])


def _enough(rows: Sequence[Row]) -> Row:
    """The fewest callers who get about the most there is."""
    most = max(row.rate for row in rows)
    return next(row for row in rows if row.rate * (1 + GAIN) >= most)


def _verdict(rows: Sequence[Row]) -> str:
    most = max(row.rate for row in rows)
    if _saturated(rows):
        return f"It saturates at {_callers(_enough(rows))}: {most:,.0f} answers a second at most."
    return f"No saturation seen up to {_callers(rows[-1])}: {most:,.0f} answers a second so far."


def _callers(row: Row) -> str:
    return f"{row.callers} caller{'s' * (row.callers != 1)}"


def _summary(rows: Sequence[Row]) -> dict[str, object]:
    some = any(row.rate for row in rows)
    return {
        "rows": [asdict(row) for row in rows],
        "most_per_second": max((row.rate for row in rows), default=0.0),
        "saturates_at_callers": _enough(rows).callers if some and _saturated(rows) else None,
        "note": NOTE,
    }


def _print(row: Row, *, first: bool) -> None:
    """A line of the table, as soon as it is known."""
    if first:
        print("callers  answers/s    p50 ms    p95 ms    p99 ms  client  errors")  # noqa: T201
    times = "".join(f"{'-' if value is None else f'{value * 1e3:.2f}':>10}" for value in (row.p50, row.p95, row.p99))
    errors = ", ".join(f"{what} x {number}" for what, number in row.errors.items()) or "none"
    print(f"{row.callers:>7}{row.rate:>11,.0f}{times}{row.client_cpu:>8.0%}  {errors}", flush=True)  # noqa: T201


def _pictures(files: Sequence[str]) -> list[bytes]:
    """What the arguments name. Raises ServiceError for one that cannot be read."""
    from app.cli.inputs import Inputs  # noqa: PLC0415

    pictures = []
    for one in Inputs(files):
        try:
            pictures.append(one.load())
        except ServiceError as error:
            raise InvalidParameter(f"{one.name}: {error.message}", parameter="files") from error
    return pictures


def _samples() -> list[bytes]:
    """A digit of each kind, 28x28 pixels as MNIST's, set in type."""
    from io import BytesIO  # noqa: PLC0415

    from PIL import Image, ImageDraw, ImageFont  # noqa: PLC0415

    pictures = []
    for digit in "0123456789":
        picture = Image.new("L", (28, 28), 255)
        ImageDraw.Draw(picture).text((14, 14), digit, 0, ImageFont.load_default(22), "mm")
        picture.save(file := BytesIO(), "PNG")
        pictures.append(file.getvalue())
    return pictures
