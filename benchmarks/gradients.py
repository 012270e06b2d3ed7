"""How large the gradient is at each layer, by activation: before the first step, and over the first epoch.

    python -m benchmarks.gradients --data-dir DIR              # a minute on one thread
    python -m benchmarks.gradients --quick --validation last   # does it run?

The figure is the Euclidean norm of the loss's gradient by all weights of a layer. Before the first step it is that of
the mean loss over 2,000 digits, the mean of 3 seeds; over the epoch that of each batch of 64, averaged over 10 steps.
"""

import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.lenet.architecture import Activation, Architecture
from app.lenet.model import LeNet5
from benchmarks.comparison import Parts, keep, mnist_parts, options, table
from training.config import Recipe
from training.errors import TrainingError
from training.progress import Reporter
from training.trainer import Trainer

ACTIVATIONS: tuple[Activation, ...] = ("sigmoid", "scaled_tanh", "relu")
LAYERS = ("c1", "c3", "c5", "f6", "output")
RECIPE = Recipe(epochs=3, batch_size=64, learning_rate=1e-3)  # as in the ablations; only its first epoch is run
SEEDS = (0, 1, 2)
FIRST_DIGITS = 2_000
WINDOW = 10  # steps


@dataclass(frozen=True)
class Row:
    """One activation."""

    activation: Activation
    at_first: dict[str, float]  # norm by layer, before the first step
    over_the_epoch: dict[str, list[float]]  # norm by layer, every 10 steps


def at_first(architecture: Architecture, parts: Parts, seed: int) -> dict[str, float]:
    """The norms of a new network, by layer."""
    torch.manual_seed(seed)
    model = LeNet5.from_architecture(architecture)
    loss = F.cross_entropy(model(parts.learnt.inputs[:FIRST_DIGITS]), parts.learnt.labels[:FIRST_DIGITS])
    loss.backward()  # type: ignore[no-untyped-call]
    return {layer: float(getattr(model, layer).weight.grad.norm()) for layer in LAYERS}


def over_an_epoch(architecture: Architecture, parts: Parts, seed: int) -> dict[str, list[float]]:
    """The norms at every step of an epoch, by layer, averaged over windows."""
    torch.manual_seed(seed)
    model = LeNet5.from_architecture(architecture)
    norms: dict[str, list[float]] = {layer: [] for layer in LAYERS}

    def note(layer: str, gradient: Tensor) -> None:
        norms[layer].append(float(gradient.norm()))

    for layer in LAYERS:
        getattr(model, layer).weight.register_hook(partial(note, layer))
    Trainer(model, parts.learnt, RECIPE, seed).run_epoch()
    return {
        layer: [
            float(f"{np.mean(found[start : start + WINDOW]):.3g}")
            for start in range(0, len(found) - WINDOW + 1, WINDOW)
        ]
        for layer, found in norms.items()
    }


def compare(parts: Parts, reporter: Reporter) -> Iterator[Row]:
    """Every activation."""
    for activation in reporter.track(ACTIVATIONS, "gradients", len(ACTIVATIONS)):
        architecture = parts.standardised(Architecture(activation=activation))
        found = [at_first(architecture, parts, seed) for seed in SEEDS]
        first = {layer: float(np.mean([norms[layer] for norms in found])) for layer in LAYERS}
        reporter.line(f"{activation:12} " + "  ".join(f"{layer} {norm:.4f}" for layer, norm in first.items()))
        yield Row(activation, first, over_an_epoch(architecture, parts, SEEDS[0]))


def markdown(result: dict[str, Any]) -> str:
    """The norms before the first step as a table."""
    rows = [
        (row["activation"].replace("_", " "), *(f"{row['at_first'][layer]:.2g}" for layer in LAYERS))
        for row in result["rows"]
    ]
    return table(("activation", *(layer.upper() for layer in LAYERS)), rows)


def main() -> int:
    """Measure, print the table and keep the figures."""
    arguments = options(__doc__).parse_args()
    try:
        parts = mnist_parts(arguments, Reporter())
        rows = [asdict(row) for row in compare(parts, Reporter())]
    except TrainingError as error:
        print(error, file=sys.stderr)
        return 2
    result = {"rows": rows, "window": WINDOW, "learnt": len(parts.learnt), "batch": RECIPE.batch_size}
    print(markdown(result))
    print(keep(arguments, "gradients", result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
