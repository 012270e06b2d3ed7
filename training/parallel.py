"""One run by several processes, each with a device of its own: `torchrun --nproc-per-node 2 -m training train CONFIG`.

All processes hold all examples and go through the same order; of every batch each learns from its share, and their
gradients are averaged before the step (PyTorch's DistributedDataParallel). So the batches, the steps and the learning
rate are those of one process, and the weights too but for the order in which floats are added. Without torchrun every
function here hands back what it was given.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.nn.parallel import DistributedDataParallel

from training.errors import DeviceError


@contextmanager
def joined(device: str | None) -> Iterator[str | None]:
    """Be one of torchrun's processes for a while; the result names the device that is this one's.

    Raises:
        DeviceError: `device` is neither cpu nor cuda, but one that not every process can have.
    """
    if not (dist.is_available() and dist.is_torchelastic_launched()):
        yield device
        return
    wanted = device or ("cuda" if torch.cuda.is_available() else "cpu")
    if wanted not in ("cpu", "cuda"):
        raise DeviceError(
            f"torchrun gives each process a device of its own: {wanted} cannot be all of theirs; try cuda."
        )
    if wanted == "cuda":
        wanted = f"cuda:{os.environ['LOCAL_RANK']}"
        torch.cuda.set_device(wanted)
    dist.init_process_group("gloo" if wanted == "cpu" else "nccl")
    try:
        yield wanted
    finally:
        dist.destroy_process_group()


def described(device: str) -> str:
    """All devices of the run, alike each: "2 x cpu"."""
    return f"{dist.get_world_size()} x {device}" if _together() else device


def leads() -> bool:
    """Whether this is the one process that speaks and writes."""
    return not _together() or dist.get_rank() == 0


def shared(model: nn.Module) -> nn.Module:
    """What to send a batch through, so that its gradients are averaged; all take over the first process's weights."""
    return DistributedDataParallel(model) if _together() else model


def share(index: Tensor) -> tuple[Tensor, float]:
    """This process's part of a batch, and what its mean loss counts in the mean over processes.

    A batch of fewer examples than processes leaves some without one: they learn from the first, with weight 0.
    """
    if not _together():
        return index, 1.0
    count = dist.get_world_size()
    mine = index.tensor_split(count)[dist.get_rank()]
    return (mine if len(mine) else index[:1]), len(mine) * count / len(index)


def mean(value: Tensor) -> Tensor:
    """The mean of a tensor over processes."""
    if not _together():
        return value
    dist.all_reduce(value)
    return value / dist.get_world_size()


def tell_apart(generator: torch.Generator, seed: int, epoch: int) -> None:
    """Let every process draw distortions of its own, the same again when a run is resumed before `epoch`."""
    if _together():
        key = np.random.SeedSequence((seed, epoch, dist.get_rank())).generate_state(1, np.uint64)
        generator.manual_seed(int(key[0]))


def _together() -> bool:
    return dist.is_available() and dist.is_initialized()
