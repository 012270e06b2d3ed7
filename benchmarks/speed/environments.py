"""The rivals' environments: made when they are first needed, made anew when their requirements change."""

import hashlib
import subprocess
import sys
from pathlib import Path

REQUIREMENTS = Path(__file__).parent / "rivals" / "requirements"
INSTALL_SECONDS = 1200


class NotInstalled(Exception):
    """An environment could not be made; standard error has more than the text."""


def python(name: str, folder: Path) -> Path:
    """The interpreter of the environment `name` in `folder`. Raises NotInstalled."""
    environment = folder / name
    interpreter, stamp = environment / "bin" / "python", environment / "requirements.sha256"
    digest = _digest(name)
    if stamp.exists() and stamp.read_text() == digest:
        return interpreter
    print(f"making the environment {name} in {folder}", file=sys.stderr)
    try:
        _run([sys.executable, "-m", "venv", "--clear", str(environment)])
        _run([str(interpreter), "-m", "pip", "install", "--quiet", "-r", str(REQUIREMENTS / f"{name}.txt")])
    except subprocess.TimeoutExpired:
        raise NotInstalled(f"not installed within {INSTALL_SECONDS} s") from None
    stamp.write_text(digest)
    return interpreter


def _digest(name: str) -> str:
    content = b"".join((REQUIREMENTS / f"{one}.txt").read_bytes() for one in ("digits", name))
    return hashlib.sha256(content).hexdigest()


def _run(command: list[str]) -> None:
    if subprocess.run(command, check=False, stdout=sys.stderr, timeout=INSTALL_SECONDS).returncode:
        raise NotInstalled("not to be had here")
