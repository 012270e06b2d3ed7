"""What Linux says of a process: memory and time on a processor."""

from pathlib import Path


def tree(pid: int) -> list[int]:
    """The process and all that it started, as far as they run."""
    children = " ".join(_read(task / "children") for task in Path(f"/proc/{pid}/task").glob("*"))
    return [pid, *(one for child in children.split() for one in tree(int(child)))]


def pss(pid: int) -> int:
    """Proportional set size of a process and its children: bytes, with shared pages divided by who shares them."""
    return sum(1024 * field(_read(Path(f"/proc/{one}/smaps_rollup")), "Pss") for one in tree(pid))


def peak(pid: int) -> int:
    """The most that was resident at any time, bytes."""
    return 1024 * field(_read(Path(f"/proc/{pid}/status")), "VmHWM")


def cpu_seconds(pid: int) -> float:
    """Time on a processor so far, of the process and its children, all threads, to the nanosecond."""
    tasks = [task for one in tree(pid) for task in Path(f"/proc/{one}/task").glob("*")]
    return sum(int(_read(task / "schedstat").split()[0]) for task in tasks) * 1e-9


def field(text: str, name: str) -> int:
    """The number after `name:` in such a file. Raises ValueError without it."""
    for line in text.splitlines():
        key, _, value = line.partition(":")
        if key == name:
            return int(value.split()[0])
    raise ValueError(f"no field {name!r}")


def _read(path: Path) -> str:
    return path.read_text(encoding="ascii", errors="replace")
