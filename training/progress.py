"""What a run says while it works: bars on a terminal, plain lines elsewhere."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import TypeVar

from rich.console import Console
from rich.progress import (
    BarColumn,
    DownloadColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)

T = TypeVar("T")


class Reporter:
    """Lines that stay, and bars that go; on anything but a terminal there are only the lines."""

    def __init__(self, console: Console | None = None) -> None:
        self.console = console or Console()

    def line(self, text: str) -> None:
        """One line, as it is."""
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def track(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:
        """The items one by one, with a bar on a terminal."""
        if not self.console.is_terminal:
            yield from items
            return
        columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            yield from progress.track(items, total=total, description=what)

    @contextmanager
    def meter(self, what: str, have: int, total: int | None) -> Iterator[Callable[[int], None]]:
        """What moves a bar of bytes on by so many, from `have` to `total` if that is known; on a terminal."""
        if not self.console.is_terminal:
            yield lambda _: None
            return
        columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TransferSpeedColumn())
        with Progress(*columns, console=self.console, transient=True) as progress:
            task = progress.add_task(what, completed=have, total=total)
            yield lambda count: progress.advance(task, count)


class Silent(Reporter):
    """Says nothing: for Python callers and tests."""

    def __init__(self) -> None:
        super().__init__(Console(quiet=True, force_terminal=False))
