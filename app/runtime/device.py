"""Whether there is a CUDA device, found out as cheaply as may be.

Importing torch takes 2 s and 200 MB, too much for a CPU service to learn that it has no GPU: first the two questions
that cost nothing are asked, whether torch is installed and whether the driver counts any device.
"""

import ctypes
import sys
from importlib.util import find_spec


def has_cuda_device() -> bool:
    """Whether torch can use a CUDA device; imports torch only where torch is installed and the driver has a device."""
    if find_spec("torch") is None or driver_device_count() == 0:
        return False
    import torch  # noqa: PLC0415  (the point of this module)

    return torch.cuda.is_available()  # False with a CPU build of torch beside a GPU


def driver_device_count() -> int:
    """How many devices the CUDA driver shows to this process; 0 without a driver."""
    library = "nvcuda.dll" if sys.platform == "win32" else "libcuda.so.1"
    try:
        driver = ctypes.CDLL(library)
    except OSError:
        return 0
    count = ctypes.c_int(0)
    if driver.cuInit(0) != 0 or driver.cuDeviceGetCount(ctypes.byref(count)) != 0:
        return 0
    return count.value
