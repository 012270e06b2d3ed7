"""What sharing and local fields bring: error when the digit is off centre, beside a fully connected net.

    python -m benchmarks.shifts --data-dir DIR              # some 6 minutes on one thread
    python -m benchmarks.shifts --quick --validation last   # does it run?

The service centres every digit by its mass; here each input is moved after that, by 0 to 5 pixels to the left, right,
up and down, and the four errors are averaged. Both networks have as many weights, the same activation, initial weights,
digits and recipe, and each is taught twice: on centred digits, and on digits that were each moved once by up to 5
pixels both ways. The digits measured are those of held-out writers.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.lenet.architecture import Architecture
from app.lenet.model import LeNet5, Squash
from benchmarks.comparison import Parts, keep, mnist_parts, options, table
from training.config import Recipe
from training.errors import TrainingError
from training.inputs import Examples
from training.metrics import measure, softmax
from training.progress import Reporter
from training.trainer import Trainer, logits_of

RECIPE = Recipe(epochs=5, batch_size=64, learning_rate=1e-3)
SEEDS = (0, 1, 2)
SHIFTS = (0, 1, 2, 3, 4, 5)  # pixels
HIDDEN = 60  # units: 62,110 weights, LeNet-5 has 61,750
NETWORKS = ("LeNet-5", "fully connected")


class FullyConnected(nn.Module):
    """1024 - 60 - 10: each hidden unit sees all pixels, and shares its weights with nobody."""

    def __init__(self, architecture: Architecture) -> None:
        super().__init__()
        self.architecture = architecture
        self.squash = Squash(architecture)
        self.hidden = nn.Linear(32 * 32, HIDDEN)
        self.output = nn.Linear(HIDDEN, architecture.num_classes)
        for layer in (self.hidden, self.output):  # as app.lenet.model.initialise does it
            nn.init.uniform_(layer.weight, -((3 / layer.in_features) ** 0.5), (3 / layer.in_features) ** 0.5)
            nn.init.zeros_(layer.bias)

    def forward(self, x: Tensor) -> Tensor:
        """float32 (n, 1, 32, 32), ink 0..1 -> logits (n, 10)."""
        x = x.flatten(1) * self.architecture.input_scale + self.architecture.input_offset  # n x 1024
        logits: Tensor = self.output(self.squash(self.hidden(x)))  # n x 10
        return logits


@dataclass(frozen=True)
class Row:
    """One network, taught one way."""

    network: str
    taught_on: str  # "centred" or "moved" digits
    parameters: int
    error_percent: tuple[tuple[float, ...], ...]  # [seed][shift], on the held-out digits


def moved(inputs: Tensor, right: int, down: int) -> Tensor:
    """The inputs (n, 1, 32, 32) moved by whole pixels; what leaves the frame is gone, what comes in is background."""
    side = inputs.shape[-1]
    reach = max(abs(right), abs(down))
    padded = F.pad(inputs, (reach,) * 4)
    return padded[..., reach - down : reach - down + side, reach - right : reach - right + side]


def moved_once(examples: Examples, reach: int, seed: int) -> Examples:
    """Each example moved by up to `reach` pixels both ways, uniformly."""
    places = np.random.default_rng(seed).integers(-reach, reach + 1, (len(examples), 2))
    inputs = torch.empty_like(examples.inputs)
    for right in range(-reach, reach + 1):
        for down in range(-reach, reach + 1):
            here = torch.from_numpy(np.flatnonzero((places == (right, down)).all(axis=1)))
            inputs[here] = moved(examples.inputs[here], right, down)
    return Examples(inputs, examples.labels)


def four_ways(shift: int) -> tuple[tuple[int, int], ...]:
    """Right and down, in pixels."""
    return ((shift, 0), (-shift, 0), (0, shift), (0, -shift)) if shift else ((0, 0),)


def error_when_moved(model: nn.Module, examples: Examples, shift: int) -> float:
    """Percent misread, mean over the four directions."""
    errors = []
    for right, down in four_ways(shift):
        logits = logits_of(model, Examples(moved(examples.inputs, right, down), examples.labels))
        errors.append(measure(softmax(logits.numpy()), examples.labels.numpy()).error_percent)
    return sum(errors) / len(errors)


def network(name: str, architecture: Architecture, seed: int) -> nn.Module:
    """A new one."""
    torch.manual_seed(seed)
    return LeNet5.from_architecture(architecture) if name == "LeNet-5" else FullyConnected(architecture)


def compare(parts: Parts, recipe: Recipe, seeds: tuple[int, ...], reporter: Reporter) -> Iterator[Row]:
    """Both networks, taught both ways, with every seed."""
    architecture = parts.standardised(Architecture())
    ways = {"centred": parts.learnt, "moved": moved_once(parts.learnt, max(SHIFTS), seed=0)}
    runs = [(name, way) for way in ways for name in NETWORKS]
    for name, way in reporter.track(runs, "shifts", len(runs)):
        errors = []
        for seed in seeds:
            model = network(name, architecture, seed)
            trainer = Trainer(model, ways[way], recipe, seed)
            while trainer.epoch < recipe.epochs:
                trainer.run_epoch()
            errors.append(tuple(error_when_moved(model, parts.held_out, shift) for shift in SHIFTS))
        row = Row(name, way, sum(parameter.numel() for parameter in model.parameters()), tuple(errors))
        reporter.line(f"{name:16} {way:8} " + " ".join(f"{error:6.2f}" for error in np.mean(errors, axis=0)))
        yield row


def ink_lost(examples: Examples, shift: int) -> float:
    """Percent of the ink that such a shift pushes out of the frame."""
    whole = float(examples.inputs.sum())
    left = [float(moved(examples.inputs, right, down).sum()) for right, down in four_ways(shift)]
    return 100 * (1 - sum(left) / len(left) / whole)


def markdown(result: dict[str, Any]) -> str:
    """The rows of the result's file as a table."""
    rows = [
        (
            row["network"],
            f"{row['taught_on']} digits",
            f"{row['parameters']:,}",
            *(f"{error:.2f} %" for error in np.mean(row["error_percent"], axis=0)),
        )
        for row in result["rows"]
    ]
    return table(("network", "taught on", "parameters", *(f"{shift} px" for shift in result["shifts"])), rows, words=2)


def main() -> int:
    """Teach both, print the table and keep the figures."""
    arguments = options(__doc__).parse_args()
    reporter = Reporter()
    try:
        parts = mnist_parts(arguments, reporter)
        recipe, seeds = (replace(RECIPE, epochs=1), (0,)) if arguments.quick else (RECIPE, SEEDS)
        rows = [asdict(row) for row in compare(parts, recipe, seeds, reporter)]
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 2
    result = {
        "rows": rows,
        "shifts": list(SHIFTS),
        "ink_lost_percent": [round(ink_lost(parts.held_out, shift), 3) for shift in SHIFTS],
        "learnt": len(parts.learnt),
        "held_out": len(parts.held_out),
        "epochs": recipe.epochs,
    }
    print(markdown(result))
    print(keep(arguments, "shifts", result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
