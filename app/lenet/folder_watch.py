"""Whether a model folder has changed: seen from what its files are, without reading them."""

from pathlib import Path

from app.errors import ModelNotFound
from app.lenet.registry import version_folders
from app.lenet.weights import GRAPH, LINE_GRAPH, MANIFEST, WEIGHTS

Seen = frozenset[tuple[str, int, int, int]]  # path, inode, size, time of change in ns


class FolderWatch:
    """Says once of each change of a model folder that there was one, when it is over."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._last: Seen | None = None  # at the last look
        self._told: Seen | None = None  # when a change was last told

    def changed(self) -> bool:
        """Whether there was a change that has not been told, and nothing has changed since the last look.

        So a version that is just being copied is not taken for a broken one. The first look tells of none, the second
        does: what came between the start and the first look counts too.
        """
        seen = _look(self._folder)
        at_rest, self._last = seen == self._last, seen
        if not at_rest or seen == self._told:
            return False
        self._told = seen
        return True


def _look(folder: Path) -> Seen:
    seen = set()
    try:
        for _, version in version_folders(folder):
            for name in (MANIFEST, WEIGHTS, GRAPH, LINE_GRAPH):
                try:
                    found = (version / name).stat()
                except OSError:  # it is not there, or not any more
                    continue
                seen.add((str(version / name), found.st_ino, found.st_size, found.st_mtime_ns))
    except ModelNotFound:  # who loads the models will say so
        pass
    return frozenset(seen)
