"""One run by two processes of torchrun, on the CPU with gloo between them, against the same run by one."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from training import checkpoint, config, parallel
from training.errors import DeviceError
from training.run import learn

# In batches of 25, the last batch of 361 - 60 digits is a single one: fewer than there are processes.
CONFIG = """
name = "shared"
ship = false
[data]
limit = 361
validation_digits = 60
[recipe]
epochs = 2
batch_size = 25
learning_rate = 3e-3
average = 0.9
refit = false
"""

RUNNER = """
import sys
from training import cli
cli.run = cli.learn  # the test set and the export are the leader's alone, as the one line shows
cli._shipped = lambda *_: print("exported") or 0
sys.exit(cli.main(sys.argv[1:]))
"""


def test_two_processes_learn_what_one_does(tmp_path: Path) -> None:
    """Weights, Adam's moments and the loss of each epoch are those of one process, within float noise; one exports."""
    (tmp_path / "shared.toml").write_text(CONFIG)
    (tmp_path / "runner.py").write_text(RUNNER)
    torchrun = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]
    command = [*torchrun, str(tmp_path / "runner.py"), "train", str(tmp_path / "shared.toml"), "--runs", str(tmp_path)]
    done = subprocess.run(
        [*command, "--device", "cpu"],
        capture_output=True,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("exported") == 1
    assert "on 2 x cpu" in done.stdout

    settings = config.load(tmp_path / "shared.toml")
    alone = learn(settings, run_dir=tmp_path / "alone", on="cpu")
    one, two = (checkpoint.read(tmp_path / name, alone.identity) for name in ("alone", "shared-seed0"))
    assert one.tensors.keys() == two.tensors.keys()
    for name, tensor in one.tensors.items():
        torch.testing.assert_close(
            two.tensors[name], tensor, rtol=1e-3, atol=1e-5, msg=lambda text, n=name: f"{n}: {text}"
        )
    losses = [[record["loss"] for record in found.progress["log"]] for found in (one, two)]
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def _as(monkeypatch: pytest.MonkeyPatch, rank: int, count: int) -> None:
    monkeypatch.setattr(parallel.dist, "is_initialized", lambda: True)
    monkeypatch.setattr(parallel.dist, "get_rank", lambda: rank)
    monkeypatch.setattr(parallel.dist, "get_world_size", lambda: count)


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
def test_the_shares_of_a_batch_are_the_batch(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Over three processes the weighted means add up to the mean over the batch, also of fewer than three."""
    batch = torch.arange(1, size + 1)
    total = 0.0
    for rank in range(3):
        _as(monkeypatch, rank, 3)
        mine, weight = parallel.share(batch)
        total += mine.double().mean().item() * weight / 3
    assert total == pytest.approx(batch.double().mean().item())


def test_each_process_distorts_in_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """What is drawn differs from process to process and from epoch to epoch, and is the same again after a resume."""

    def drawn(rank: int, epoch: int) -> float:
        _as(monkeypatch, rank, 2)
        generator = torch.Generator()
        parallel.tell_apart(generator, seed=5, epoch=epoch)
        return torch.rand(1, generator=generator).item()

    draws = [drawn(rank, epoch) for rank in range(2) for epoch in range(2)]
    assert len(set(draws)) == 4
    assert drawn(1, 1) == draws[3]


def test_one_device_cannot_be_that_of_all(monkeypatch: pytest.MonkeyPatch) -> None:
    """Under torchrun a numbered device is refused before anything is waited for."""
    monkeypatch.setattr(parallel.dist, "is_torchelastic_launched", lambda: True)
    with pytest.raises(DeviceError, match="cuda:1 cannot be all of theirs"), parallel.joined("cuda:1"):
        pass
