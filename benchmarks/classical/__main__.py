"""LeNet-5 beside the methods that it replaced: error on three sets, size, time to learn and to answer.

    python -m benchmarks.classical --data-dir DIR                 # some 8 minutes on one thread
    python -m benchmarks.classical --quick --validation last      # does it run?
    python -m benchmarks.classical --only HOG --data-dir DIR      # one method; not kept
    python -m benchmarks.classical --served-only --data-dir DIR   # the last rows anew, for new weights: a minute

Every method gets the same inputs, those of `app.imaging`, and learns from the same digits: MNIST's training part
without the digits of held-out writers, as they are. Its settings were chosen on those writers; the test digits are met
once. The last rows are the models of the model folder, which may have learnt from other digits as well: their cards
say. Times are processor time, which other work on the machine lengthens little, without the normalisation, which is
the same for all.
"""

import sys
import time
from argparse import Namespace
from collections.abc import Iterator
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
from benchmarks.classical.report import SETS, markdown, said
from benchmarks.comparison import Parts, keep, mnist_parts, options, read
from training import datasets
from training.errors import DatasetError, TrainingError
from training.inputs import Examples, prepare
from training.progress import Reporter


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
    start = time.process_time()
    classifier.fit(flat(parts.learnt), parts.learnt.labels.numpy())
    seconds = time.process_time() - start
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
    if arguments.served_only:
        rows = [row for row in read(arguments.output, "classical")["rows"] if row["fit_seconds"] is not None]
    else:
        rows = [asdict(row) for row in taught_rows(arguments.only, parts, sets, reporter)]
    models = [] if arguments.only else Registry.open(arguments.model_dir or default_model_dir(), {}).served
    for model in (model for model in models if model.task == "digit"):
        row = served(model.spec, model.folder, parts, sets)
        reporter.line(said(row))
        rows.append(asdict(row))
    counts = {"learnt": len(parts.learnt), "held_out": len(parts.held_out)}
    return {"rows": rows, "counts": counts | {name: len(some) for name, some in sets.items()}}


def taught_rows(only: str | None, parts: Parts, sets: dict[str, Examples], reporter: Reporter) -> Iterator[Row]:
    """Every method, or those with `only` in their name."""
    methods = [method for method in METHODS if (only or "") in method.name]
    for method in reporter.track(methods, "methods", len(methods)):
        reporter.line(f"{method.name} ...")
        row = taught(method, parts, sets)
        reporter.line(said(row))
        yield row


def main() -> int:
    """Measure, print the table and keep the figures."""
    parser = options(__doc__)
    parser.add_argument("--model-dir", type=Path, help="a model folder (default: the weights that come along)")
    parser.add_argument("--only", help="only methods with this in their name, and no model of the folder")
    parser.add_argument("--served-only", action="store_true", help="only the models; the other rows stay as kept")
    arguments = parser.parse_args()
    try:
        result = compare(arguments, Reporter())
    except (TrainingError, ServiceError) as error:
        print(error, file=sys.stderr)
        return 2
    print(markdown(result))
    print(keep(arguments, "classical", result, whole=not arguments.only))
    return 0


if __name__ == "__main__":
    sys.exit(main())
