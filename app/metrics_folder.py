"""The folder where several workers count together, in files of prometheus_client's multiprocess mode."""

import fcntl
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
"""Where prometheus_client looks for it, when it is imported."""
PREFIX = "lenet5-metrics-"


@contextmanager
def metrics_folder() -> Iterator[Path]:
    """A folder named by VARIABLE that ends with the context; what killed supervisors have left is swept.

    Besides *.db, the metrics, it may hold what else is to end with them. A lock says that its supervisor lives: unlike
    a process id it means the same in every container that shares /tmp.
    """
    sweep(Path(tempfile.gettempdir()))
    folder = Path(tempfile.mkdtemp(prefix=PREFIX))
    lock = os.open(folder, os.O_RDONLY)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX)
        os.environ[VARIABLE] = str(folder)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
        os.close(lock)


def sweep(parent: Path) -> None:
    """Remove metrics folders that nobody has locked. An empty one stays: its supervisor may be about to lock it."""
    for folder in parent.glob(PREFIX + "*"):
        try:
            lock = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
        except OSError:  # gone meanwhile, or another user's
            continue
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if any(folder.glob("*.db")):
                shutil.rmtree(folder, ignore_errors=True)
        except OSError:  # its supervisor lives
            pass
        finally:
            os.close(lock)


def forget_gauges(folder: Path, pid: int) -> None:
    """Leave out what a worker that is gone had waiting; what it counted still counts."""
    for live in folder.glob(f"gauge_live*_{pid}.db"):
        live.unlink()
