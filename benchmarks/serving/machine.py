"""What runs where, and on what: the server has the first core, the load the next one."""

import os
import platform
from importlib import metadata
from typing import Final

import torch

from training import device

PACKAGES: Final = ("fastapi", "httptools", "numpy", "onnxruntime", "pillow", "starlette", "torch", "uvicorn", "uvloop")


def on_server_core() -> tuple[str, ...]:
    """What goes before a server's command."""
    return "taskset", "-c", str(cores()[0])


def on_load_core() -> tuple[str, ...]:
    """What goes before the command of what makes the load."""
    return "taskset", "-c", str(cores()[1])


def cores() -> tuple[int, int]:
    """The server's core and the load's; the same where there is but one."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


def describe() -> dict[str, str]:
    """The hardware and the versions that a result was had on."""
    return {"hardware": device.describe(torch.device("cpu")), "python": platform.python_version()} | {
        package: metadata.version(package) for package in PACKAGES
    }
