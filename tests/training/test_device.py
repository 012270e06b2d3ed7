"""Which device is chosen. The drivers are invented: the choice is what is tested."""

import pytest
import torch

from training import device
from training.errors import DeviceError


def invent(monkeypatch: pytest.MonkeyPatch, free: list[int], *, mps: bool) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: bool(free))
    monkeypatch.setattr(torch.cuda, "device_count", lambda: len(free))
    monkeypatch.setattr(torch.cuda, "mem_get_info", lambda index: (free[index], 80))
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: mps)


@pytest.mark.parametrize(
    ("free", "mps", "chosen"),
    [([10, 70, 30], False, "cuda:1"), ([5], True, "cuda:0"), ([], True, "mps"), ([], False, "cpu")],
)
def test_the_gpu_with_the_most_free_memory(
    monkeypatch: pytest.MonkeyPatch, free: list[int], mps: bool, chosen: str
) -> None:
    """CUDA's emptiest GPU, else Apple's, else the CPU."""
    invent(monkeypatch, free, mps=mps)
    assert str(device.choose()) == chosen


@pytest.mark.parametrize("wanted", ["cpu", "cuda", "cuda:1", "mps"])
def test_a_wish_is_kept(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    """`--device` overrides the choice."""
    invent(monkeypatch, [9, 1], mps=True)
    assert str(device.choose(wanted)) == wanted


@pytest.mark.parametrize("wanted", ["cuda", "cuda:0", "mps", "gpu", "meta", ""])
def test_a_device_that_is_not_here(monkeypatch: pytest.MonkeyPatch, wanted: str) -> None:
    """A wish that cannot be kept is an error, not another device."""
    invent(monkeypatch, [], mps=False)
    with pytest.raises(DeviceError):
        device.choose(wanted)
