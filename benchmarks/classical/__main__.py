"""LeNet-5 beside the methods that it replaced: error on three sets, size, time to learn and to answer.

    python -m benchmarks.classical --data-dir DIR            # some 15 minutes on one thread
    python -m benchmarks.classical --quick --output /tmp/x   # does it run?
    python -m benchmarks.classical --only HOG --output /tmp/x

Every method gets the same inputs, those of `app.imaging`, and learns from the same digits: MNIST's training part
without the digits of held-out writers, as they are. Its settings were chosen on those writers; the test digits are met
once. The last rows are the models of the model folder, which may have learnt from other digits as well: their cards
say. Times are of one thread, without the normalisation, which is the same for all.
"""

import sys
import time
from argparse import Namespace
from dataclasses import asdict
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch

from app.errors import ServiceError
from app.lenet.registry import Registry, default_model_dir
from benchmarks.classical.lenet import ServedLeNet
from benchmarks.classical.measure import Row, errors, flat, kept, seconds_alone
from benchmarks.classical.methods import METHODS, Method, probabilities
from benchmarks.comparison import Parts, mnist_parts, options, table, write
from training import datasets
from training.errors import DatasetError, TrainingError
from training.inputs import Examples, prepare
from training.progress import Reporter

SETS = ("mnist-test", "usps", "optdigits")


def test_sets(arguments: Namespace, reporter: Reporter) -> dict[str, Examples]:
    """The sets that are here, normalised; MNIST's test digits come first."""
    found = {}
    for name in SETS:
        try:
            digits = datasets.load(name, arguments.data_dir)
        except DatasetError as error:
            reporter.line(f"left out: {error}")
            continue
        if arguments.quick:
            digits = digits.take(np.arange(300))
        found[name] = prepare(digits, torch.device("cpu"), reporter)
    return found


def taught(method: Method, parts: Parts, sets: dict[str, Examples]) -> Row:
    """A method that learns here."""
    classifier = method.build()
    start = time.perf_counter()
    classifier.fit(flat(parts.learnt), parts.learnt.labels.numpy())
    seconds = time.perf_counter() - start
    answer = partial(probabilities, classifier)
    error_percent, sure, bulk = errors(answer, sets)
    held_out, _, _ = errors(answer, {"held-out": parts.held_out})
    return Row(
        method.name,
        method.features,
        error_percent | held_out,
        sure,
        *kept(classifier),
        fit_seconds=seconds,
        alone_seconds=seconds_alone(answer, parts.held_out),
        bulk_seconds=bulk,
        paper_error_percent=method.paper_error_percent,
    )


def served(name: str, folder: Path, parts: Parts, sets: dict[str, Examples]) -> Row:
    """A model of the model folder, as the service runs it on a CPU."""
    model = ServedLeNet(folder)
    error_percent, sure, bulk = errors(model.predict_proba, sets)
    numbers, size = model.kept
    return Row(
        name,
        "learnt",
        error_percent,
        sure,
        numbers,
        size,
        fit_seconds=None,
        alone_seconds=seconds_alone(model.predict_proba, parts.held_out),
        bulk_seconds=bulk,
    )


def compare(arguments: Namespace, reporter: Reporter) -> dict[str, Any]:
    """Every method and every digit model, as the result's file keeps them."""
    parts = mnist_parts(arguments, reporter)
    sets = test_sets(arguments, reporter)
    rows = []
    methods = [method for method in METHODS if (arguments.only or "") in method.name]
    for method in reporter.track(methods, "methods", len(methods)):
        reporter.line(f"{method.name} ...")
        rows.append(taught(method, parts, sets))
        reporter.line(said(rows[-1]))
    models = [] if arguments.only else Registry.open(arguments.model_dir or default_model_dir(), {}).served
    for model in (model for model in models if model.task == "digit"):
        rows.append(served(model.spec, model.folder, parts, sets))
        reporter.line(said(rows[-1]))
    counts = {"learnt": len(parts.learnt), "held_out": len(parts.held_out)}
    return {"rows": [asdict(row) for row in rows], "counts": counts | {name: len(some) for name, some in sets.items()}}


def said(row: Row) -> str:
    """One line of progress."""
    found = "  ".join(f"{name} {error:.2f} %" for name, error in row.error_percent.items())
    fit = "" if row.fit_seconds is None else f"  learnt in {row.fit_seconds:.0f} s"
    return f"{row.name:36} {found}{fit}  {row.alone_seconds * 1e3:.2f} ms a digit"


def markdown(result: dict[str, Any]) -> str:
    """The rows of the result's file as a table."""
    sets = [name for name in SETS if name in result["counts"]]
    rows = [
        (
            row["name"],
            row["features"],
            *(f"{row['error_percent'][name]:.2f} %" for name in sets),
            f"{row['sure_error_percent']:.2f} %",
            "" if row["paper_error_percent"] is None else f"{row['paper_error_percent']:g} %",
            f"{row['numbers']:,}",
            _bytes(row["size"]),
            "" if row["fit_seconds"] is None else f"{row['fit_seconds']:.0f} s",
            f"{row['alone_seconds'] * 1e3:.2f} ms",
            f"{row['bulk_seconds'] * 1e6:.0f} µs",
        )
        for row in result["rows"]
    ]
    head = ("method", "features", *sets, "surest 95 %", "the paper's", "numbers", "size", "learns", "alone", "in bulk")
    return table(head, rows, words=2)


def _bytes(count: int) -> str:
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} kB"


def main() -> int:
    """Measure, print the table and keep the figures."""
    parser = options(__doc__)
    parser.add_argument("--model-dir", type=Path, help="a model folder (default: the weights that come along)")
    parser.add_argument("--only", help="only methods with this in their name, and no model of the folder")
    arguments = parser.parse_args()
    try:
        result = compare(arguments, Reporter())
    except (TrainingError, ServiceError) as error:
        print(error, file=sys.stderr)
        return 2
    path = write(arguments.output, "classical", result)
    print(f"{markdown(result)}\nkept in {path}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
