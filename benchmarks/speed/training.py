"""How long learning takes, beside a tutorial's loop; what distortions add to it; how long a model takes to measure."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import islice
from pathlib import Path

import torch

from app.lenet.model import LeNet5, initialise
from app.lenet.registry import default_model_dir
from benchmarks.comparison import table
from benchmarks.speed import tutorial_training
from benchmarks.speed.machine import cores, pinned
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio
from training import config as configs
from training.augment import Augment, Distortions
from training.batches import Batches
from training.config import Recipe
from training.datasets import Digits, load
from training.evaluate import evaluate
from training.inputs import Examples, prepare
from training.trainer import Trainer

CONFIG = Path(__file__).parents[2] / "training" / "configs" / "baseline.toml"
BATCH_SIZE = 128
LEARNING_RATE = 1e-3
EPOCHS = 2  # the seconds are those of the last one
AFFINE_AND_ELASTIC = Distortions(rotation=10, shear=0.15, scale=0.1, squeeze=0.1, translation=1, elastic=0.8)
EVALUATED = "lenet5"


def measure(options: Options) -> Result:
    """In each round the tutorial, ours, and ours with distortions, on one thread and on two; then the evaluation."""
    digits = load("mnist-train", options.data_dir)
    examples = prepare(digits, torch.device("cpu"))
    rounds = []
    for _ in range(options.rounds):
        found: dict[str, float] = {}
        for threads, on in ((1, pinned(cores()[0])), (2, _two_threads())):
            with on:
                found |= {f"{what} {threads}": value for what, value in _learnt(digits, examples).items()}
        with pinned(cores()[0]):
            start = time.perf_counter()
            evaluate(EVALUATED, "mnist-test", model_dir=default_model_dir(), data_dir=options.data_dir)
            found["evaluation"] = time.perf_counter() - start
        rounds.append(found)
    return {"rounds": rounds}


def _learnt(digits: Digits, examples: Examples) -> dict[str, float]:
    """Seconds of an epoch and the loss in it, of the tutorial and of ours; seconds of ours with distortions."""
    tutorial = tutorial_training.epochs(
        digits.pictures, digits.labels, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE
    )
    *_, (seconds, loss) = islice(tutorial, EPOCHS)
    own_seconds, own_loss = _own(examples, None)
    distorted_seconds, _ = _own(examples, Augment(AFFINE_AND_ELASTIC, torch.Generator().manual_seed(0)))
    return {
        "tutorial": seconds,
        "tutorial loss": loss,
        "own": own_seconds,
        "own loss": own_loss,
        "distorted": distorted_seconds,
    }


def _own(examples: Examples, augment: Augment | None) -> tuple[float, float]:
    """Seconds and loss of the last of a few epochs of the baseline's network."""
    torch.manual_seed(0)
    mean, deviation = examples.inputs.mean().item(), examples.inputs.std().item()
    architecture = configs.load(CONFIG).architecture.with_standardised_input(mean, deviation)
    network = LeNet5.from_architecture(architecture)
    initialise(network)
    recipe = Recipe(epochs=EPOCHS, batch_size=BATCH_SIZE, learning_rate=LEARNING_RATE)
    trainer = Trainer(network, examples, recipe, 0, batches=Batches(examples, augment))
    *_, last = (trainer.run_epoch() for _ in range(EPOCHS))
    return last.seconds, last.loss


@contextmanager
def _two_threads() -> Iterator[None]:
    before = torch.get_num_threads()
    torch.set_num_threads(2)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def _column(result: Result, key: str) -> list[float]:
    return [one[key] for one in result["rounds"]]


def _over_tutorial(result: Result, threads: int) -> Spread:
    return ratio(_column(result, f"own {threads}"), _column(result, f"tutorial {threads}"))


def _added(result: Result, threads: int) -> Spread:
    """By distortions, as a share of the epoch without them."""
    more = ratio(_column(result, f"distorted {threads}"), _column(result, f"own {threads}"))
    return Spread(more.median - 1, more.low - 1, more.high - 1)


def markdown(result: Result) -> str:
    """By the number of threads."""
    rows = [
        [
            str(threads),
            Spread.of(_column(result, f"tutorial {threads}")).text(".1f"),
            Spread.of(_column(result, f"own {threads}")).text(".1f"),
            _over_tutorial(result, threads).text(),
            f"{_column(result, f'tutorial loss {threads}')[-1]:.3f}",
            f"{_column(result, f'own loss {threads}')[-1]:.3f}",
            _added(result, threads).text(".0f", 100),
        ]
        for threads in (1, 2)
    ]
    head = ["threads", "tutorial, s", "ours, s", "ours over it", "its loss", "our loss", "distortions add, %"]
    seconds = Spread.of(_column(result, "evaluation")).text()
    return (
        f"{table(head, rows)}\nSeconds of the second epoch over MNIST's 60,000 training digits in batches of "
        f"{BATCH_SIZE}, and the mean loss in it, in nats. Measuring `{EVALUATED}` on the 10,000 test digits, on one "
        f"thread, from the files to the figures: {seconds} s.\n"
    )


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    two, one = (_over_tutorial(result, threads).text() for threads in (2, 1))
    return [
        Goal(
            "an epoch over the tutorial's, two threads / one, no greater loss after two epochs",
            "0.60 / 0.70",
            "0.40 / 0.50",
            f"{two} / {one}",
        ),
        Goal("affine and elastic distortions: % more time an epoch", "60", "25", _added(result, 1).text(".0f", 100)),
        Goal("measuring a model on 10,000 pictures, s", "3", "1", Spread.of(_column(result, "evaluation")).text()),
    ]


PART = Part("training", measure, markdown, goals)
