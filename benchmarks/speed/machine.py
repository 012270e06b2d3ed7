"""What runs where, and on what: the server has the first core, the load the next one."""

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib import metadata
from typing import Final

import torch

from training import device

PACKAGES: Final = ("fastapi", "httptools", "numpy", "onnxruntime", "pillow", "starlette", "torch", "uvicorn", "uvloop")


@cache
def cores() -> tuple[int, int]:
    """The server's core and the load's; the same where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def on_server_core() -> tuple[str, ...]:
    """What goes before a server's command."""
    return "taskset", "-c", str(cores()[0])


def on_load_core() -> tuple[str, ...]:
    """What goes before the command of what makes the load."""
    return "taskset", "-c", str(cores()[1])


@contextmanager
def pinned(core: int) -> Iterator[None]:
    """This thread on one core, with one thread for torch's work, until the end of the block."""
    before, threads = os.sched_getaffinity(0), torch.get_num_threads()
    os.sched_setaffinity(0, {core})
    torch.set_num_threads(1)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)
        torch.set_num_threads(threads)


def describe() -> dict[str, str]:
    """The hardware and the versions that a result was had on."""
    hardware = f"{device.describe(torch.device('cpu'))}, {os.cpu_count()} cores"
    return {"hardware": hardware, "python": platform.python_version()} | {
        package: metadata.version(package) for package in PACKAGES
    }
