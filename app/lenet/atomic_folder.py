"""Writing a folder so that a crash at any point leaves the old one or the new one, never a mixture.

The new folder is written in full beside its target, under a hidden name, and synced to the disk. Then:

- where there is no target yet, one rename puts it in place: atomic;
- where there is one, Linux exchanges the two names in one step (renameat2 with RENAME_EXCHANGE): atomic;
- where a system or file system cannot exchange, the old folder is renamed aside first. A crash between the two renames
  leaves no target, but both folders whole under hidden names; the next write to this target puts the old one back
  before anything else.

Left-overs of an earlier crash are swept by the next write to the same target. One writer a target at a time.
"""

import ctypes
import errno
import os
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from app.lenet.atomic_file import sync_folder

_AT_FDCWD = -100
_RENAME_EXCHANGE = 2
_CANNOT_EXCHANGE = {errno.EINVAL, errno.ENOSYS, errno.ENOTSUP, errno.EXDEV}


def write_folder(target: Path, files: Mapping[str, bytes]) -> None:
    """Make `target` a folder that holds exactly these files (name -> content), in place of one that may be there.

    Raises OSError when the disk refuses; the target is then what it was.
    """
    parent = target.parent
    parent.mkdir(parents=True, exist_ok=True)
    _sweep(target)
    new = Path(tempfile.mkdtemp(prefix=f".{target.name}.new-", dir=parent))
    try:
        for name, content in files.items():
            with (new / name).open("xb") as file:
                file.write(content)
                file.flush()
                os.fsync(file.fileno())
        new.chmod(0o755)  # mkdtemp's 0o700 would hide the model from a service that runs as another user
        sync_folder(new)
        _put_in_place(new, target)
        sync_folder(parent)
    finally:
        shutil.rmtree(new, ignore_errors=True)  # after an exchange this name holds the old folder
    _sweep(target)


def _put_in_place(new: Path, target: Path) -> None:
    if not target.exists():
        new.rename(target)
    elif not _exchange(new, target):
        old = Path(tempfile.mkdtemp(prefix=f".{target.name}.old-", dir=target.parent))
        target.rename(old)  # over an empty folder: atomic
        try:
            new.rename(target)
        except OSError:
            old.rename(target)
            raise


def _exchange(one: Path, other: Path) -> bool:
    """Exchange the names of two folders in one step; False where that cannot be done."""
    try:
        renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    except (AttributeError, OSError, TypeError):  # no such function; on Windows, no such library
        return False
    if renameat2(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE) == 0:
        return True
    code = ctypes.get_errno()
    if code in _CANNOT_EXCHANGE:
        return False
    raise OSError(code, os.strerror(code), str(one), None, str(other))


def _sweep(target: Path) -> None:
    """Remove what an earlier crash left beside `target`; put the old folder back if the crash left no target."""
    for old in target.parent.glob(f".{target.name}.old-*"):
        if not target.exists() and any(old.iterdir()):
            old.rename(target)
            sync_folder(target.parent)
        else:
            shutil.rmtree(old)
    for new in target.parent.glob(f".{target.name}.new-*"):
        shutil.rmtree(new)
