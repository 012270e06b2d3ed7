"""Class folders: FOLDER/0/ to FOLDER/9/ with pictures in them, and FOLDER/none/ for what is no digit."""

import os
from functools import partial
from pathlib import Path

from training.errors import DatasetError
from training.own import pictures
from training.own.digits import CLASSES, Item


def items(folder: Path) -> list[Item]:
    """Every file in the class folders and below them, in the order of their names; hidden ones are left out.

    Links to files are followed, links to folders are not.

    Raises:
        DatasetError: there is no class folder, or none has a file.
    """
    classes = sorted(path for path in folder.iterdir() if path.is_dir() and path.name.lower() in CLASSES)
    if not classes:
        raise DatasetError(
            f"{folder} has no folders 0 to 9 (or none) with pictures. "
            "For a CSV of paths and labels, or for IDX files, name the file itself."
        )
    found = [
        Item(str(path), CLASSES[of_class.name.lower()], None, partial(pictures.gray, path))
        for of_class in classes
        for path in _files(of_class)
    ]
    if not found:
        raise DatasetError(f"The folders {', '.join(path.name for path in classes)} of {folder} have no files.")
    return found


def ignored(folder: Path) -> list[str]:
    """The names of folders beside the class folders: perhaps a slip of the pen."""
    others = (path.name for path in folder.iterdir() if path.is_dir() and path.name.lower() not in CLASSES)
    return sorted(name for name in others if not name.startswith("."))


def _files(folder: Path) -> list[Path]:
    found = []
    for parent, folders, files in os.walk(folder):
        folders[:] = [name for name in folders if not name.startswith(".")]
        found += [Path(parent, name) for name in files if not name.startswith(".")]
    return sorted(found)
