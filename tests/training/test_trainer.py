"""The loop and its checkpoints, on a few invented digits."""

from pathlib import Path

import pytest
import torch
from torch import Tensor

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5
from training import checkpoint
from training.checkpoint import Checkpoint
from training.config import Recipe
from training.errors import CheckpointError, TrainingError
from training.inputs import Examples
from training.trainer import Trainer

RECIPE = Recipe(epochs=4, batch_size=16, learning_rate=2e-3)


@pytest.fixture(scope="module")
def examples() -> Examples:
    generator = torch.Generator().manual_seed(7)
    labels = torch.randint(0, 10, (100,), generator=generator)
    inputs = torch.rand((100, 1, 32, 32), generator=generator) * 0.3
    inputs[torch.arange(100), 0, 3 * labels] = 1.0  # a bright row tells the class
    return Examples(inputs, labels)


def trainer(examples: Examples, seed: int = 0, recipe: Recipe = RECIPE) -> Trainer:
    torch.manual_seed(seed)
    torch.set_num_threads(1)
    return Trainer(LeNet5.from_architecture(Architecture()), examples, recipe, seed)


def run(some: Trainer, epochs: int) -> dict[str, Tensor]:
    for _ in range(epochs):
        some.run_epoch()
    return some.state()


def equal(one: dict[str, Tensor], other: dict[str, Tensor]) -> bool:
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_it_learns(examples: Examples) -> None:
    """The loss falls from that of a guess to a small part of it."""
    some = trainer(examples, recipe=Recipe(epochs=8, batch_size=16, learning_rate=4e-3))
    losses = [some.run_epoch().loss for _ in range(8)]
    assert losses[0] > 1.5
    assert losses[-1] < 0.3 * losses[0]


def test_the_same_seed_gives_the_same_weights(examples: Examples) -> None:
    """On a CPU the same seed gives identical weights, another seed others."""
    first = run(trainer(examples), 2)
    assert equal(first, run(trainer(examples), 2))
    assert not equal(first, run(trainer(examples, seed=1), 2))


@pytest.mark.parametrize("cut", [0, 1, 3, 4])
def test_a_cut_run_ends_with_the_same_weights(examples: Examples, tmp_path: Path, cut: int) -> None:
    """Written to a file after any epoch, read into a new trainer and gone on: the weights of an uncut run."""
    whole = run(trainer(examples), 4)
    checkpoint.write(tmp_path, Checkpoint({}, {"epoch": cut}, run(trainer(examples), cut)))
    second = trainer(examples)
    read = checkpoint.read(tmp_path, {})
    second.restore(read.tensors, read.progress["epoch"])
    assert equal(whole, run(second, 4 - cut))


def test_the_learning_rate_falls_along_half_a_cosine(examples: Examples) -> None:
    """It begins at the recipe's, is half of it in the middle, and 0 after the last step."""
    some = trainer(examples)
    steps = some.steps_per_epoch * RECIPE.epochs
    assert some.steps_per_epoch == 7
    assert [some.learning_rate(step) for step in (0, steps // 2, steps)] == pytest.approx([2e-3, 1e-3, 0])
    rates = [some.run_epoch().learning_rate for _ in range(RECIPE.epochs)]
    assert rates == [some.learning_rate(step) for step in (6, 13, 20, 27)]


def test_every_example_is_seen_once_an_epoch(examples: Examples, monkeypatch: pytest.MonkeyPatch) -> None:
    """The batches of an epoch are a permutation, the last one smaller."""
    some = trainer(examples)
    seen: list[Tensor] = []
    forward = some.model.forward
    monkeypatch.setattr(some.model, "forward", lambda x: (seen.append(x), forward(x))[1])
    some.run_epoch()
    assert [len(batch) for batch in seen] == [16] * 6 + [4]
    sums = torch.cat(seen).sum(dim=(1, 2, 3)).sort().values
    assert torch.equal(sums, examples.inputs.sum(dim=(1, 2, 3)).sort().values)


def test_a_diverging_run_stops(examples: Examples) -> None:
    """A loss that is no number is an error that says what to try."""
    bad = Examples(examples.inputs * float("nan"), examples.labels)
    with pytest.raises(TrainingError, match=r"smaller recipe\.learning_rate"):
        trainer(bad).run_epoch()


def test_nothing_to_resume(tmp_path: Path) -> None:
    """Without a checkpoint `--resume` is an error."""
    with pytest.raises(CheckpointError, match="nothing to resume"):
        checkpoint.read(tmp_path, {})


def test_another_runs_checkpoint_is_refused(tmp_path: Path) -> None:
    """A checkpoint of another config is refused, and the message says what differs."""
    checkpoint.write(tmp_path, Checkpoint({"config": {"seed": 0, "recipe": {"epochs": 4}}}, {}, {}))
    with pytest.raises(CheckpointError, match=r"config\.recipe\.epochs was 4 and is 5"):
        checkpoint.read(tmp_path, {"config": {"seed": 0, "recipe": {"epochs": 5}}})


def test_a_config_with_lists_goes_on(tmp_path: Path) -> None:
    """What was a tuple is a list in the file; that is no other run."""
    run = {"config": {"data": {"also": ("usps",)}}}
    checkpoint.write(tmp_path, Checkpoint(run, {"epoch": 3}, {}))
    assert checkpoint.read(tmp_path, run).progress == {"epoch": 3}
    with pytest.raises(CheckpointError, match="also was"):
        checkpoint.read(tmp_path, {"config": {"data": {"also": ("usps", "marks")}}})


def test_a_damaged_checkpoint_is_refused(tmp_path: Path) -> None:
    """One flipped bit anywhere, or a missing end, is an error: never other weights."""
    checkpoint.write(tmp_path, Checkpoint({"a": 1}, {"epoch": 1}, {"x": torch.arange(9.0)}))
    path = tmp_path / checkpoint.FILE
    content = path.read_bytes()
    for place in range(0, len(content), 7):
        flipped = bytearray(content)
        flipped[place] ^= 4
        path.write_bytes(flipped)
        with pytest.raises(CheckpointError):
            checkpoint.read(tmp_path, {"a": 1})
    for end in (0, 5, len(content) // 2, len(content) - 1):
        path.write_bytes(content[:end])
        with pytest.raises(CheckpointError):
            checkpoint.read(tmp_path, {"a": 1})


@pytest.mark.parametrize("place", ["os.fsync", "Path.replace"])
def test_a_crash_while_writing_keeps_the_last_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Until the new checkpoint is whole the old one has the name."""
    checkpoint.write(tmp_path, Checkpoint({}, {"epoch": 1}, {}))

    def crash(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(f"app.lenet.atomic_file.{place}", crash)
    with pytest.raises(KeyboardInterrupt):
        checkpoint.write(tmp_path, Checkpoint({}, {"epoch": 2}, {}))
    assert checkpoint.read(tmp_path, {}).progress == {"epoch": 1}
