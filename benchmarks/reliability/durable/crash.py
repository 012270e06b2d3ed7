"""What a disk may hold after a crash: what was synced, and of the rest as much as it had come to.

The model is what journalling file systems keep: names change in order, and are sure once a folder was synced after; the
content of a file is sure as far as it was synced, and what was written since may be missing, there by half, or be zeros
of the right length.
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.reliability.durable.disk import Operation

NAMING = {"make", "create", "rename", "exchange", "remove"}
UNSURE = ("lost", "half", "zeros", "whole")


@dataclass
class _Node:
    """A file's content, or a folder."""

    folder: bool = False
    sure: bytes = b""
    written: bytes = b""

    def after(self, unsure: str) -> bytes:
        """Its content after a crash."""
        if self.written == self.sure:
            return self.sure
        new = self.written
        return {"lost": self.sure, "half": new[: len(new) // 2], "zeros": bytes(len(new)), "whole": new}[unsure]


@dataclass
class _Names:
    """Which node each path names."""

    nodes: dict[str, _Node] = field(default_factory=dict)

    def apply(self, operation: Operation, made: dict[int, _Node], number: int) -> None:
        """One operation on names; what it makes is node `number`, the same in every order of things."""
        path, other = operation.path, operation.other
        if operation.kind in ("make", "create"):
            self.nodes[path] = made[number]
        elif operation.kind == "remove":
            self.nodes.pop(path, None)
        else:
            below = {name: self.nodes.pop(name) for name in list(self.nodes) if _within(name, path)}
            there = {name: self.nodes.pop(name) for name in list(self.nodes) if _within(name, other)}
            self.nodes |= {other + name[len(path) :]: node for name, node in below.items()}
            if operation.kind == "exchange":
                self.nodes |= {path + name[len(other) :]: node for name, node in there.items()}


def _within(name: str, folder: str) -> bool:
    return name == folder or name.startswith(folder + os.sep)


State = dict[str, bytes | None]
"""Path -> content; None is a folder."""


def snapshot(root: Path) -> State:
    """What is there now, for sure."""
    return {str(path): None if path.is_dir() else path.read_bytes() for path in root.rglob("*")}


def states(before: State, operations: Sequence[Operation]) -> Iterator[tuple[str, State]]:
    """Every different state that a crash may leave, with what it is, of a disk that held `before`."""
    seen: set[tuple[tuple[str, bytes | None], ...]] = set()
    for done in range(len(operations) + 1):
        for named in range(_sure_names(operations[:done]), done + 1):
            for unsure in UNSURE:
                state = _state(before, operations[:done], named, unsure)
                key = tuple(sorted(state.items()))
                if key not in seen:
                    seen.add(key)
                    yield f"{done} operations, names of {named}, {unsure}", state


def _sure_names(operations: Sequence[Operation]) -> int:
    """So many operations are sure to have changed their names: those before the last sync of a folder."""
    files = {operation.path for operation in operations if operation.kind == "create"}
    syncs = [n for n, operation in enumerate(operations) if operation.kind == "sync" and operation.path not in files]
    return max(syncs, default=0)


def _state(before: State, operations: Sequence[Operation], named: int, unsure: str) -> State:
    held = {
        path: _Node(folder=content is None, sure=content or b"", written=content or b"")
        for path, content in before.items()
    }
    made = {
        number: _Node(folder=operation.kind == "make")
        for number, operation in enumerate(operations)
        if operation.kind in ("make", "create")
    }
    seen, crashed = _Names(dict(held)), _Names(dict(held))
    for number, operation in enumerate(operations):
        node = seen.nodes.get(operation.path)
        if operation.kind == "write" and node is not None:
            node.written += operation.content
        elif operation.kind == "sync" and node is not None:
            node.sure = node.written
        elif operation.kind == "create" and node is not None:  # opened to be written anew: cut to nothing, in place
            node.written = b""
            made[number] = node
        if operation.kind in NAMING:
            seen.apply(operation, made, number)
            if number < named:
                crashed.apply(operation, made, number)
    return {path: None if node.folder else node.after(unsure) for path, node in crashed.nodes.items()}


def laid_down(state: State, root: Path, where: Path) -> None:
    """Make `where` hold what the state has below `root`."""
    for path, content in sorted(state.items()):
        target = where / Path(path).relative_to(root)
        if content is None:
            target.mkdir(parents=True, exist_ok=True)
        else:
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(content)
