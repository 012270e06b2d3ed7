"""What the comparisons of docs/before_lenet.md share: the digits, the options, and how results are kept.

Each comparison writes NAME.json into the folder of its results; `benchmarks.before_lenet` makes the page's tables and
pictures from these files.
"""

import argparse
import json
import os
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from app.lenet.architecture import Architecture
from training import datasets, device, split
from training.datasets import mnist
from training.inputs import Examples, prepare
from training.progress import Reporter

RESULTS = Path(__file__).parents[1] / "docs" / "before_lenet"
HELD_OUT = 10_000  # digits at least, as in training's configs


@dataclass(frozen=True)
class Parts:
    """MNIST's training digits: what is learnt from, and what is measured on while anything is chosen."""

    learnt: Examples
    held_out: Examples

    def standardised(self, architecture: Architecture) -> Architecture:
        """The architecture with the learnt digits' inputs at zero mean and unit deviation."""
        return standardised(architecture, self.learnt.inputs.numpy())


def standardised(architecture: Architecture, inputs: npt.NDArray[np.float32]) -> Architecture:
    """The architecture with inputs like these, whatever their shape, at zero mean and unit deviation."""
    return architecture.with_standardised_input(
        float(inputs.mean(dtype=np.float64)), float(inputs.std(dtype=np.float64))
    )


def options(description: str | None) -> argparse.ArgumentParser:
    """The command line that every comparison has."""
    parser = argparse.ArgumentParser(
        description=description, formatter_class=argparse.RawDescriptionHelpFormatter, allow_abbrev=False
    )
    parser.add_argument(
        "--data-dir",
        type=Path,
        default=os.environ.get("LENET5_DATA_DIR"),
        help="holds mnist/train_writers.npz, usps/, optdigits/ (default: $LENET5_DATA_DIR)",
    )
    parser.add_argument(
        "--validation",
        choices=("writers", "last"),
        default="writers",
        help="hold out the digits of writers of their own, or MNIST's last (which needs no data folder)",
    )
    parser.add_argument("--quick", action="store_true", help="a few digits only: does it run? The figures mean nothing")
    parser.add_argument("--output", type=Path, default=RESULTS, help="the folder of the results (default: %(default)s)")
    return parser


def mnist_parts(arguments: argparse.Namespace, reporter: Reporter, quick: int = 2_000) -> Parts:
    """MNIST's training digits on the CPU, normalised and split; of each part only `quick` where that was asked for.

    Raises:
        TrainingError: the data folder or a file in it is not what it should be.
    """
    torch.set_num_threads(1)
    digits = datasets.load("mnist-train", arguments.data_dir)
    if arguments.validation == "writers":
        parts = split.by_writer(mnist.writers(arguments.data_dir), HELD_OUT)
    else:
        parts = split.last(len(digits), HELD_OUT)
    count = quick if arguments.quick else None
    rng = np.random.default_rng(0)
    learnt, held_out = (
        prepare(digits.take(index if count is None else rng.permutation(index)[:count]), torch.device("cpu"), reporter)
        for index in (parts.learnt, parts.held_out)
    )
    return Parts(learnt, held_out)


def keep(arguments: argparse.Namespace, name: str, result: dict[str, Any], *, whole: bool = True) -> str:
    """Write a result as NAME.json, with the hardware and the versions that it was had on; what was done, in words.

    A quick result, or one that is not the `whole` comparison, never takes the place of the page's.
    """
    if arguments.output == RESULTS and (arguments.quick or not whole):
        return "not kept: this is not the whole comparison, and --output names no other folder"
    packages = ("numpy", "onnxruntime", "opencv-python-headless", "scikit-image", "scikit-learn", "torch")
    here = {
        "hardware": device.describe(torch.device("cpu")),
        "versions": {package: metadata.version(package) for package in packages},
    }
    arguments.output.mkdir(parents=True, exist_ok=True)
    path: Path = arguments.output / f"{name}.json"
    path.write_text(json.dumps(result | here, indent=1) + "\n")
    return f"kept in {path}"


def read(folder: Path, name: str) -> dict[str, Any]:
    """What `keep` wrote."""
    result: dict[str, Any] = json.loads((folder / f"{name}.json").read_text())
    return result


def table(head: Sequence[str], rows: Sequence[Sequence[str]], words: int = 1) -> str:
    """A table in Markdown; the columns after the first `words` are numbers, set to the right."""
    rule = ["---"] * words + ["--:"] * (len(head) - words)
    return "\n".join("| " + " | ".join(cells) + " |" for cells in (head, rule, *rows)) + "\n"


def filled(page: str, name: str, content: str) -> str:
    """The page with `content` between <!-- NAME --> and <!-- /NAME -->. Raises ValueError unless that is one place."""
    start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->"
    if (page.count(start), page.count(end)) != (1, 1):
        raise ValueError(f"the page has no place, or several, for {name!r}")
    before, rest = page.split(start)
    return f"{before}{start}{content}{end}{rest.split(end)[1]}"
