"""Every check that needs a GPU, in one call: the `cuda` tests, the backend's speed, a training run.

    python -m benchmarks.gpu [--backend torch-cpu] [--seconds 1]

`--backend torch-cpu` runs the same on a CPU, for trying the script itself: without the tests and the training run.
Needs torch, numpy, safetensors, pillow, opencv, pytest and the extra `train`; not FastAPI.
"""

import argparse
import platform
import subprocess
import sys
import time

import numpy as np
import torch
from rich.console import Console
from rich.table import Table

from app.imaging import INPUT_SHAPE
from app.lenet.registry import Registry, default_model_dir
from app.runtime import Backend, backend_class
from app.runtime.batch import bucket_sizes

MAX_BATCH_SIZE = 4096


def main() -> None:
    """Run what the machine can, and exit with the first failure's code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--backend", choices=("torch-cuda", "torch-cpu"), default="torch-cuda")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each row")
    options = parser.parse_args()

    served = Registry.open(default_model_dir()).resolve(None, "digit")
    backend = backend_class(options.backend)(served.folder, MAX_BATCH_SIZE, 1)
    backend.warm_up()
    console = Console()
    console.print(f"{backend.device}, torch {torch.__version__}, CUDA {torch.version.cuda}, {platform.platform()}")
    console.print(speed(backend, options.seconds))
    backend.close()
    if options.backend == "torch-cuda":
        run("-m", "pytest", "-m", "cuda", "tests")
        run("-m", "training", "train", "training/configs/baseline.toml", "--device", "cuda", "--output", "runs/gpu")


def speed(backend: Backend, seconds: float) -> Table:
    """Host array to host array: time of a batch and pictures a second, by batch size."""
    table = Table(title=f"{backend.name}: inputs on the host to logits on the host")
    for column in ("batch", "p50 us", "p99 us", "pictures/s"):
        table.add_column(column, justify="right")
    for size in bucket_sizes(backend.max_batch_size):
        batch = np.random.default_rng(0).random((size, *INPUT_SHAPE), np.float32)
        times = []
        until = time.perf_counter() + seconds
        while (start := time.perf_counter()) < until:
            backend.infer(batch)
            times.append(time.perf_counter() - start)
        p50, p99 = np.percentile(times, (50, 99))
        table.add_row(str(size), f"{p50 * 1e6:.0f}", f"{p99 * 1e6:.0f}", f"{size / p50:,.0f}")
    return table


def run(*arguments: str) -> None:
    """Run Python with these arguments; a failure ends this script with its code."""
    code = subprocess.run([sys.executable, *arguments], check=False).returncode
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    main()
