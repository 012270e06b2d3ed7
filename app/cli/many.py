"""What `lenet5 predict` and `lenet5 read` have in common: inputs through answers into a file, a pipe or a terminal."""

import shlex
import sys
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager, closing
from pathlib import Path
from time import perf_counter

from app.cli.ends import Exit, Interrupted, say
from app.cli.inputs import Inputs
from app.cli.options import Results
from app.cli.results import Columns, Lines, Sink, chosen, done_in
from app.cli.terminal import Bar, Rows
from app.cli.work import Answers, Pace, results, until_stopped
from app.errors import ServiceError

Opened = Callable[[], AbstractAsyncContextManager[Answers]]


class Tally:
    """What has come of the work so far."""

    def __init__(self) -> None:
        self.accepted = self.refused = self.failed = 0
        self._start = perf_counter()

    @property
    def done(self) -> int:
        """Pictures with a result, be it an error."""
        return self.accepted + self.refused + self.failed

    def __str__(self) -> str:
        seconds = max(perf_counter() - self._start, 1e-3)
        rate = self.done / seconds
        return (
            f"{self.done:,} pictures in {seconds:.1f} s ({rate:,.{0 if rate >= 10 else 1}f}/s): "
            f"{self.accepted:,} accepted, {self.refused:,} not, {self.failed:,} failed"
        )


def inputs_of(files: Sequence[str], into: Results, columns: Columns) -> Inputs:
    """The pictures that are to be read, without those that are done; a torn end of the output is cut off.

    Raises InvalidParameter and FileError.
    """
    done = set[str]()
    if into.resume and into.output is not None:
        done = done_in(into.output, columns if chosen(into.format, into.output) == "csv" else None)
    return Inputs(files, done)


def run(inputs: Inputs, into: Results, columns: Columns, answers: Opened, pace: Pace) -> None:
    """Do it all; ends the process where its exit code is not 0.

    Raises Interrupted after a signal, and the ServiceError that ends all of it.
    """
    tally = Tally()
    try:
        with Bar() as bar, closing(_sink(into, columns, bar)) as sink:
            until_stopped(lambda: _all(inputs, answers, pace, sink=sink, bar=bar, tally=tally))
    except Interrupted as interrupted:
        raise Interrupted(interrupted.code, kept(inputs.skipped + tally.done, inputs.total, into.output)) from None
    except ServiceError:
        if tally.done:
            say(kept(inputs.skipped + tally.done, inputs.total, into.output))
        raise
    if sys.stderr.isatty() and tally.done > 1:
        say(str(tally))
    if tally.failed:
        raise SystemExit(int(Exit.FAILED))


def _sink(into: Results, columns: Columns, bar: Bar) -> Sink:
    format = chosen(into.format, into.output)  # noqa: A001 - the option's name
    if format == "table":
        return Rows(columns, bar)
    return Lines.opened(into.output, columns if format == "csv" else None, resume=into.resume)


async def _all(inputs: Inputs, answers: Opened, pace: Pace, *, sink: Sink, bar: Bar, tally: Tally) -> None:
    async with answers() as answering:
        bar.show(inputs.skipped, inputs.total)
        async for piece in results(inputs, answering, pace):
            sink.write(piece)
            for result in piece:
                if result.error is not None:
                    tally.failed += 1
                    bar.hide()
                    say(f"{result.name}: {result.error['message']} [{result.error['code']}]")
                elif result.answer["accepted"]:
                    tally.accepted += 1
                else:
                    tally.refused += 1
            bar.show(inputs.skipped + tally.done, inputs.total)


def kept(count: int, total: int, output: Path | None) -> str:
    """What is done when all of it ends too early, and how to go on."""
    done = f"{count:,} of {total:,} pictures are done"
    if output is None:
        return f"{done}; with --output FILE they could be gone on with."
    again = [word for word in sys.argv[1:] if word != "--resume"]
    return f"{done} and kept in {output}; go on with: lenet5 {shlex.join([*again, '--resume'])}"
