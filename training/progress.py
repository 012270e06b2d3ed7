"""What a run says while it works: bars on a terminal, plain lines elsewhere."""

from collections.abc import Iterable, Iterator
from typing import TypeVar

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

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


class Silent(Reporter):
    """Says nothing: for Python callers and tests."""

    def line(self, text: str) -> None:
        """Nothing."""

    def track(self, items: Iterable[T], what: str, total: int) -> Iterator[T]:  # noqa: ARG002
        """The items."""
        yield from items
