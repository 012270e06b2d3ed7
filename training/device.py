"""Which device a run uses, and how it is called in a result."""

import platform
from pathlib import Path

import torch

from training.errors import DeviceError


def choose(wanted: str | None = None) -> torch.device:
    """The device called `wanted`; without a wish the CUDA GPU with the most free memory, else MPS, else the CPU.

    Raises:
        DeviceError: `wanted` is no device, or not here.
    """
    if wanted is not None:
        return _named(wanted)
    if torch.cuda.is_available():
        free = [torch.cuda.mem_get_info(index)[0] for index in range(torch.cuda.device_count())]  # bytes
        return torch.device("cuda", free.index(max(free)))
    if torch.backends.mps.is_available():
        return torch.device("mps")
    return torch.device("cpu")


def _named(wanted: str) -> torch.device:
    try:
        device = torch.device(wanted)
    except RuntimeError as error:
        raise DeviceError(f"{wanted!r} is no device; try cpu, cuda, cuda:1 or mps.") from error
    if device.type == "cuda" and (device.index or 0) >= (count := torch.cuda.device_count()):
        raise DeviceError(f"{wanted} is not here: PyTorch sees {count} CUDA devices.")
    if device.type == "mps" and not torch.backends.mps.is_available():
        raise DeviceError("mps is not here: PyTorch sees no Apple GPU.")
    if device.type not in ("cpu", "cuda", "mps"):
        raise DeviceError(f"{wanted!r} is no device to train on; try cpu, cuda, cuda:1 or mps.")
    return device


def describe(device: torch.device) -> str:
    """The device with the name of its hardware, for logs and model cards."""
    if device.type == "cuda":
        return f"{device} ({torch.cuda.get_device_name(device)})"
    if device.type == "mps":
        return f"mps ({platform.machine()})"
    threads = torch.get_num_threads()
    return f"cpu ({_cpu_name()}, {threads} {'thread' if threads == 1 else 'threads'})"


def _cpu_name() -> str:
    cpuinfo = Path("/proc/cpuinfo")  # Linux's; elsewhere the architecture has to do
    if cpuinfo.is_file():
        for line in cpuinfo.read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()
