"""What a running container may do, as its own kernel shows it, and in which ways that leaves it open."""

from typing import Any

CONFINEMENT = """
import json, os
from pathlib import Path
def status(pid):
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
def limit(*names):  # of cgroup v2, else of v1
    found = [Path("/sys/fs/cgroup", name) for name in names if Path("/sys/fs/cgroup", name).exists()]
    return found[0].read_text().split() if found else None
command = {pid: Path(f"/proc/{pid}/cmdline").read_bytes() for pid in os.listdir("/proc") if pid.isdigit()}
(service,) = [pid for pid, line in command.items() if b"\\0serve" in line and b"python" in line]
mounts = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
def first(name):
    return int(status(service)[name].split()[0])
print(json.dumps({
    "uid": first("Uid"), "gid": first("Gid"),
    "capabilities": [int(status(service)[f"Cap{name}"], 16) for name in ("Inh", "Prm", "Eff", "Bnd", "Amb")],
    "no_new_privileges": first("NoNewPrivs"),
    "seccomp": first("Seccomp"),
    "writable": [point for _, point, _, options, *_ in mounts if "rw" in options.split(",")
                 and os.path.isdir(point) and os.access(point, os.W_OK)],
    "tmp": next((options for _, point, _, options, *_ in mounts if point == "/tmp"), ""),
    "memory": limit("memory.max", "memory/memory.limit_in_bytes"),
    "pids": limit("pids.max", "pids/pids.max"),
    "cpu": limit("cpu.max", "cpu/cpu.cfs_quota_us"),
    "threads": first("Threads"),
}))
"""
UNLIMITED = 1 << 50  # bytes; a cgroup without a limit shows "max", or a number beyond all memories


def limit(shown: list[str] | None) -> int:
    """A cgroup's limit as a number."""
    return UNLIMITED if not shown or shown[0] in ("max", "-1") else int(shown[0])


def open_doors(facts: dict[str, Any]) -> set[str]:
    """In which ways a container is open."""
    doors = {
        "root": facts["uid"] == 0 or facts["gid"] == 0,
        "capabilities": any(facts["capabilities"]),
        "new privileges": facts["no_new_privileges"] != 1,
        "system calls": facts["seccomp"] != 2,  # 2: a filter
        "files": set(facts["writable"]) - {"/tmp", "/dev/shm", "/dev/mqueue"} != set(),  # of bounded size, gone with it
        "memory": limit(facts["memory"]) >= UNLIMITED,
        "processes": limit(facts["pids"]) >= UNLIMITED,
        "processors": limit(facts["cpu"]) >= UNLIMITED,
    }
    return {door for door, is_open in doors.items() if is_open}
