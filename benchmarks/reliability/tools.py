"""Tools that are no dependency of the project: each laid into a folder of its own when it is first needed."""

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "requirements"
FOLDER = Path(__file__).parents[2] / "runs" / "reliability"
INSTALL_SECONDS = 600


class NotInstalled(Exception):
    """A tool could not be had; standard error has more than the text."""


def installed(name: str) -> Path:
    """A folder for PYTHONPATH that holds what `requirements/NAME.txt` asks for. Raises NotInstalled."""
    requirements = REQUIREMENTS / f"{name}.txt"
    wanted = hashlib.sha256(requirements.read_bytes()).hexdigest()[:12]
    folder = FOLDER / f"{name}-{wanted}"
    if (folder / "whole").exists():
        return folder
    pip = [
        sys.executable,
        "-m",
        "pip",
        "install",
        "--quiet",
        "--upgrade",
        "--target",
        str(folder),
        "-r",
        str(requirements),
    ]
    try:
        done = subprocess.run(pip, check=False, stdout=sys.stderr, timeout=INSTALL_SECONDS)
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"{name} was not installed within {INSTALL_SECONDS} s") from None
    if done.returncode:
        raise NotInstalled(f"{name} cannot be installed here")
    (folder / "whole").touch()
    return folder
