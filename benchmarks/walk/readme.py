"""What the README's first screen says: its commands, its printed answers, and the pages that it links."""

import re
from dataclasses import dataclass
from pathlib import Path

from benchmarks.walk.journey import NotSo

URL = "http://127.0.0.1:8000"
"""Of the service, in every page."""


class NotThere(NotSo):
    """A page has no such snippet: the walk would not be the documentation's any more."""


@dataclass(frozen=True)
class Readme:
    """The README of a clone, up to the heading of its tests."""

    root: Path

    @property
    def text(self) -> str:
        """All that a stranger reads before the first step."""
        return (self.root / "README.md").read_text().partition("\n## ")[0]

    def page(self, name: str) -> str:
        """The README's first screen itself, or a page that it links. Raises NotThere for any other."""
        if name == "README.md":
            return self.text
        if f"]({name})" not in self.text:
            raise NotThere(f"the README's first screen links no {name}")
        return (self.root / name).read_text()

    def snippet(self, beginning: str, page: str = "README.md") -> str:
        """The block that begins so. Raises NotThere."""
        blocks: list[str] = re.findall(r"^```\w+\n(.*?)^```$", self.page(page), re.MULTILINE | re.DOTALL)
        for block in blocks:
            if block.startswith(beginning):
                return block.strip()
        raise NotThere(f"{page} has no snippet that begins {beginning!r}")

    def lines(self, beginning: str, page: str = "README.md") -> list[str]:
        """A snippet's commands, one a line."""
        return self.snippet(beginning, page).splitlines()

    def rows(self, page: str) -> list[list[str]]:
        """The cells of all its tables. Raises NotThere."""
        lines = [line for line in self.page(page).splitlines() if line.startswith("|")]
        return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]

    def megabytes(self) -> tuple[int, int]:
        """What is downloaded, and what is installed. Raises NotThere when it is not said before the command."""
        before = self.text.partition("```")[0]
        found = re.search(r"\((\d+) MB to download, (\d+) MB installed", before)
        if found is None:
            raise NotThere("the README does not say how much is downloaded before it says by which command")
        return int(found[1]), int(found[2])


def differs(said: str, answer: dict[str, object]) -> list[str]:
    """The keys whose value a printed answer, which may be shortened by `...`, has otherwise than the service."""
    told = dict(re.findall(r'"(digit|text|confidence|accepted)":"?([\w.]+)"?', said.partition('"alternatives"')[0]))
    return [key for key, value in told.items() if _shown(answer.get(key), value) != value]


def _shown(value: object, like: str) -> str:
    """A value with as many digits as are printed."""
    if isinstance(value, float):
        return f"{value:.{len(like.partition('.')[2])}f}"
    return str(value).lower() if isinstance(value, bool) else str(value)
