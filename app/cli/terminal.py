"""What people see on a terminal: results as a table, and how far long work is, on standard error."""

import sys
import time
from collections.abc import Iterator, Sequence
from typing import Final

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeRemainingColumn
from rich.table import Table
from rich.text import Text

from app.cli.ends import printable
from app.cli.results import NAME, Columns, Result

LONG: Final = 0.5  # seconds that work takes at least to be shown
AT_LEAST: Final = 0.25  # seconds between rows that are printed


class _Rate(ProgressColumn):
    """Pictures a second, of the last half minute."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.0f}/s" if speed >= 10 else f"{speed:.1f}/s")


class Bar:
    """How far the work is, with its rate and the time that is left; nothing where standard error is no terminal."""

    def __init__(self) -> None:
        self._progress = Progress(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(elapsed_when_finished=True),
            console=Console(stderr=True),
            disable=not sys.stderr.isatty(),
            redirect_stdout=False,
            redirect_stderr=False,
            transient=True,
        )
        self._begin = time.monotonic()
        self._task = self._progress.add_task("pictures", total=None)

    def __enter__(self) -> "Bar":
        return self

    def __exit__(self, *_: object) -> None:
        self._progress.stop()

    def show(self, done: int, total: int) -> None:
        """So many pictures of so many; short work is over before it is shown."""
        self._progress.update(self._task, completed=done, total=total)
        if time.monotonic() - self._begin > LONG:
            self._progress.start()

    def hide(self) -> None:
        """Take it off the terminal, for something else to be printed there; the next `show` brings it back."""
        self._progress.stop()


class Rows:
    """A table on standard output, a few rows at a time: its widths do not depend on what comes later."""

    def __init__(self, columns: Columns, bar: Bar) -> None:
        self._columns = columns
        self._bar = bar
        self._console = Console()
        self._waiting: list[Result] = []
        self._printed = -float("inf")  # time.monotonic()
        self._first = True

    def write(self, results: Sequence[Result]) -> None:
        """Show them, now or within a moment."""
        self._waiting += results
        if time.monotonic() - self._printed >= AT_LEAST:
            self.close()

    def close(self) -> None:
        """Show what waits."""
        if self._waiting:
            self._bar.hide()
            self._console.print(self._table(self._waiting))
            self._waiting, self._first, self._printed = [], False, time.monotonic()

    def _table(self, results: Sequence[Result]) -> Table:
        table = Table(box=None, show_header=self._first, pad_edge=False, header_style="bold", expand=False)
        for place, (name, (width, _)) in enumerate(self._columns.table.items()):
            table.add_column(name, width=width, justify="right" if place == 0 else "left", overflow="fold")
        table.add_column(NAME, overflow="fold")
        for result in results:
            table.add_row(*self._cells(result), Text(printable(result.name)))
        return table

    def _cells(self, result: Result) -> Iterator[Text]:
        cells = [cell for _, cell in self._columns.table.values()]
        if result.error is not None:
            yield from (Text("-", "red") for _ in cells[:-1])
            yield Text(str(result.error["code"]), "red")
            return
        color = "green" if result.answer["accepted"] else "yellow"
        yield from (Text(cell(result.answer), color) for cell in cells)
