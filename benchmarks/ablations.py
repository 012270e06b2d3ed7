"""What each of LeNet-5's parts is worth: one part changed at a time, the rest and the recipe as they are.

    python -m benchmarks.ablations --data-dir DIR                                  # some 15 minutes on one thread
    python -m benchmarks.ablations --quick --validation last                       # does it run?
    python -m benchmarks.ablations --data-dir DIR --epochs 10 --only sigmoid RBF   # how far some get

The network is the baseline's (full C3, linear OUTPUT, scaled tanh, trainable subsampling, nothing squashed after it),
the recipe the baseline's cut to 3 epochs: Adam from 1e-3 down to 0, cross-entropy, batches of 64, no distortions. The
error is that on the digits of held-out writers; the test set is not looked at. Few epochs tell how quickly something
learns rather than how far it gets, and a recipe that was found with one variant may suit another less.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import torch

from app.lenet.architecture import Architecture
from app.lenet.model import InitialWeights, LeNet5, initialise
from benchmarks.comparison import Parts, keep, mnist_parts, options, table
from training.config import Recipe
from training.errors import TrainingError
from training.metrics import measure, softmax
from training.progress import Reporter
from training.trainer import Trainer, logits_of

BASELINE = Architecture()
RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=1e-3)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Variant:
    """One network of the comparison."""

    part: str  # of the network that is changed
    name: str
    architecture: Architecture
    initial: InitialWeights = "fan_in"


VARIANTS = (
    Variant("none", "the baseline", BASELINE),
    Variant("activation", "tanh", replace(BASELINE, activation="tanh")),
    Variant("activation", "sigmoid", replace(BASELINE, activation="sigmoid")),
    Variant("activation", "ReLU", replace(BASELINE, activation="relu")),
    Variant("subsampling", "plain mean", replace(BASELINE, subsampling="mean")),
    Variant("subsampling", "trainable, then squashed", replace(BASELINE, squash_subsampling=True)),
    Variant("subsampling", "maximum", replace(BASELINE, subsampling="max")),
    Variant("C3", "Table I", replace(BASELINE, c3="table1")),
    Variant("OUTPUT", "RBF", replace(BASELINE, output="rbf")),
    Variant("initial weights", "±2.4 / fan-in", BASELINE, "paper"),
    Variant(
        "several",
        "the paper's: Table I, squashed, RBF",
        replace(BASELINE, c3="table1", output="rbf", squash_subsampling=True),
    ),
    Variant("several", "of the 2010s: ReLU, maximum", replace(BASELINE, activation="relu", subsampling="max")),
)


@dataclass(frozen=True)
class Row:
    """What one variant came to."""

    part: str
    name: str
    parameters: int  # trained ones
    error_percent: tuple[float, ...]  # on the held-out digits, by seed
    seconds: float  # an epoch, mean


def train(variant: Variant, parts: Parts, recipe: Recipe, seed: int) -> tuple[LeNet5, float]:
    """A network of this variant, taught; and the seconds that its epochs took, together."""
    torch.manual_seed(seed)
    model = LeNet5.from_architecture(parts.standardised(variant.architecture))
    initialise(model, variant.initial)
    trainer = Trainer(model, parts.learnt, recipe, seed)
    return model, sum(trainer.run_epoch().seconds for _ in range(recipe.epochs))


def compare(
    variants: Sequence[Variant], parts: Parts, recipe: Recipe, seeds: tuple[int, ...], reporter: Reporter
) -> Iterator[Row]:
    """Every variant with every seed."""
    truth = parts.held_out.labels.numpy()
    for variant in reporter.track(variants, "ablations", len(variants)):
        errors: list[float] = []
        seconds = 0.0
        for seed in seeds:
            model, spent = train(variant, parts, recipe, seed)
            errors.append(measure(softmax(logits_of(model, parts.held_out).numpy()), truth).error_percent)
            seconds += spent
        parameters = sum(parameter.numel() for parameter in model.parameters())
        row = Row(variant.part, variant.name, parameters, tuple(errors), seconds / len(seeds) / recipe.epochs)
        reporter.line(f"{row.part:16} {row.name:36} {sum(errors) / len(errors):5.2f} %  {row.seconds:5.1f} s an epoch")
        yield row


def markdown(result: dict[str, Any]) -> str:
    """The rows of the result's file as a table."""
    means = [sum(row["error_percent"]) / len(row["error_percent"]) for row in result["rows"]]
    rows = [
        (
            row["part"] if row["part"] != "none" else "",
            row["name"],
            f"{row['parameters']:,}",
            f"**{mean:.2f} %**",
            " ".join(f"{error:.2f}" for error in row["error_percent"]),
            f"{mean - means[0]:+.2f}" if row["part"] != "none" else "",
        )
        for row, mean in zip(result["rows"], means, strict=True)
    ]
    return table(("changed", "to", "parameters", "error", "by seed", "against the baseline"), rows, words=2)


def main() -> int:
    """Train every variant, print the table and keep the figures."""
    parser = options(__doc__)
    parser.add_argument("--epochs", type=int, default=RECIPE.epochs)
    parser.add_argument("--only", nargs="+", metavar="NAME", help="these variants, and the baseline")
    arguments = parser.parse_args()
    variants = [v for v in VARIANTS if not arguments.only or v.part == "none" or v.name in arguments.only]
    reporter = Reporter()
    try:
        parts = mnist_parts(arguments, reporter)
        recipe = replace(RECIPE, epochs=1 if arguments.quick else arguments.epochs)
        seeds = SEEDS[:1] if arguments.quick else SEEDS
        rows = [asdict(row) for row in compare(variants, parts, recipe, seeds, reporter)]
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 2
    result = {"rows": rows, "learnt": len(parts.learnt), "held_out": len(parts.held_out), "epochs": recipe.epochs}
    print(markdown(result))
    print(keep(arguments, "ablations", result, whole=not arguments.only and recipe == RECIPE))
    return 0


if __name__ == "__main__":
    sys.exit(main())
