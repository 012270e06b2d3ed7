"""A disk that is watched: what is done to it, in order, and one operation that it refuses, if asked to."""

import errno
import io
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from app.lenet import atomic_folder


@dataclass(frozen=True)
class Operation:
    """One that has succeeded."""

    kind: str  # make, create, write, sync, rename, exchange, remove
    path: str
    other: str = ""  # of a rename or an exchange
    content: bytes = b""  # of a write


@dataclass
class Disk:
    """What was done below `root`."""

    root: Path
    full_at: int | None = None  # the number of the operation that finds no room
    operations: list[Operation] = field(default_factory=list)
    asked: int = 0  # operations that need room

    def room(self) -> None:
        """Raises OSError once it is full."""
        self.asked += 1
        if self.full_at is not None and self.asked > self.full_at:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def done(self, kind: str, path: str | os.PathLike[str], **rest: Any) -> None:
        """Note it, if it is below the root."""
        if Path(path).is_relative_to(self.root):
            self.operations.append(Operation(kind, str(path), **rest))


class _File:
    """A file that is open for writing."""

    def __init__(self, file: Any, path: Path, disk: Disk) -> None:
        self._file, self._path, self._disk = file, path, disk

    def write(self, content: bytes) -> int:
        half = len(content) // 2
        self._file.write(content[:half])  # a disk fills up in the middle of a file
        self._disk.room()
        self._file.write(content[half:])
        self._disk.done("write", self._path, content=bytes(content))
        return len(content)

    def __enter__(self) -> "_File":
        return self

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)


@contextmanager
def watched(disk: Disk) -> Iterator[Disk]:
    """What is done to the disk in the block is noted; once `full_at` is reached nothing that needs room works."""
    real = {name: getattr(os, name) for name in ("mkdir", "rename", "replace", "unlink", "rmdir", "fsync")}
    open_file, exchange = io.open, atomic_folder._exchange

    def opened(file: Any, mode: str = "r", *args: Any, **kwargs: Any) -> Any:
        if not set(mode) & set("wxa") or not Path(file).is_relative_to(disk.root):
            return open_file(file, mode, *args, **kwargs)
        disk.room()
        made = open_file(file, mode, *args, **kwargs)
        disk.done("create", file)
        return _File(made, Path(file), disk)

    def renamed(before: Any, after: Any, **kwargs: Any) -> None:
        real["replace"](before, after, **kwargs)
        disk.done("rename", before, other=str(after))

    def exchanged(one: Path, other: Path) -> bool:
        worked = exchange(one, other)
        if worked:
            disk.done("exchange", one, other=str(other))
        return worked

    def made(path: Any, *args: Any, **kwargs: Any) -> None:
        disk.room()
        real["mkdir"](path, *args, **kwargs)
        disk.done("make", path)

    def removed(name: str) -> Callable[..., None]:
        def remove(path: Any, *, dir_fd: int | None = None) -> None:
            real[name](path, dir_fd=dir_fd)
            disk.done("remove", path if dir_fd is None else Path(_path_of(dir_fd)) / path)

        return remove

    def synced(descriptor: Any) -> None:
        number = descriptor if isinstance(descriptor, int) else descriptor.fileno()
        real["fsync"](number)
        disk.done("sync", _path_of(number))

    replaced: dict[str, Callable[..., Any]] = {"mkdir": made, "rename": renamed, "replace": renamed, "fsync": synced}
    replaced |= {name: removed(name) for name in ("unlink", "rmdir")}
    with ExitStack() as stack:
        for name, function in replaced.items():
            stack.enter_context(mock.patch.object(os, name, function))
        stack.enter_context(mock.patch.object(io, "open", opened))
        stack.enter_context(mock.patch.object(atomic_folder, "_exchange", exchanged))
        yield disk


def _path_of(descriptor: int) -> str:
    return str(Path(f"/proc/self/fd/{descriptor}").readlink())
