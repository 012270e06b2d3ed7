"""Give a field model the network that reads lines, and fit how what both say is weighed and what it is worth.

    python -m training.fields.calibrate lenet5-field-open --data-dir DIR
    python -m training.fields.calibrate lenet5-field-open --cheques --name lenet5-field --data-dir DIR

The networks that read lines are those of `python -m training.fields.line`. For each kind of field there is a
calibration of its own (`training.fields.fit`). With --cheques the model gets the network that has learnt from cheques,
and is fitted to cheques as well, each read by the network of the cross-validation that has not learnt from it; each
fold's own calibration, whose weights have not seen its cheques either, is written beside its network, for the
benchmark. What comes of it is the next version of the model, or of the one that --name names; LeNet-5 is the same.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.errors import ModelError
from app.fields.calibration import FieldCalibrations
from app.fields.formats import Kind, field_format
from app.lenet import model as lenet
from app.lenet.model import LeNet5
from app.lenet.registry import Registry, ServedModel, default_model_dir
from app.lenet.weights import LINE_GRAPH, write_model
from training.card import sources
from training.datasets import cheque_amounts
from training.datasets.cheque_amounts import FOLDS
from training.errors import TrainingError
from training.export import target_folder
from training.fields import development, line
from training.fields.development import Network, Networks, Shown
from training.fields.fit import Fitted, fit
from training.fields.line_graph import line_onnx_bytes
from training.fields.line_model import LineNetwork
from training.fields.line_training import log_probabilities
from training.progress import Reporter
from training.shipped import MADE_BY_WRITING

SEEDS: Final = (11, 12)
"""Of the made strings for the weights, and of those for the confidence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, write, say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="NAME or NAME:VERSION of a field model")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--model-dir", type=Path, default=default_model_dir())
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the networks that read lines lie")
    parser.add_argument("--count", type=int, default=1000, help="made strings for either half")
    parser.add_argument(
        "--cheques", action="store_true", help="learn from cheques, read with what has learnt from them"
    )
    parser.add_argument("--name", help="of what is written (default: the same)")
    parser.add_argument("--version", type=int, help="of what is written (default: the next free one)")
    parser.add_argument("--force", action="store_true", help="replace that version")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    say = Reporter()
    try:
        served = Registry.open(options.model_dir, {}).resolve(options.model, "field")
        target = target_folder(
            options.model_dir, options.name or served.name, options.version, replace_it=options.force
        )
        network = line.load(options.runs, line.CHEQUES if options.cheques else line.OPEN)
        candidates = network_of(lenet.load(served.folder))
        networks = both(candidates, network)
        made = (development.made(options.count, seed, networks, options.data_dir) for seed in SEEDS)
        halves = [list(say.track(strings, "made strings", options.count)) for strings in made]
        folds = range(FOLDS) if options.cheques else ()
        of_folds = {fold: both(candidates, line.load(options.runs, line.of_fold(fold))) for fold in folds}
        cheques = list(development.cheques(of_folds, options.data_dir)) if options.cheques else []
        found = {kind: _fitted(kind, halves, cheques, say) for kind in KINDS}
        for fold in folds:
            its = FieldCalibrations(amount=found["amount"].of_folds[fold])
            calibration_of(options.runs, fold).write_text(json.dumps(its.to_dict()))
        calibrations = FieldCalibrations(**{kind: of_kind.calibration for kind, of_kind in found.items()})
        _write(served, target, network, calibrations, cheques=options.cheques)
    except (TrainingError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    say.line(f"written to {target}")
    return 0


KINDS: Final[dict[Kind, tuple[Kind, ...]]] = {
    "digits": ("digits", "postal_code", "amount"),
    "postal_code": ("digits", "postal_code"),
    "amount": ("amount",),
}
"""To which kinds of made strings the confidence of each kind is fitted."""

BESIDE_CHEQUES: Final = 1 / 3
"""Made amounts for each cheque where weights are learnt from both: with more of them fewer cheques are read right."""


def _fitted(kind: Kind, halves: Sequence[Sequence[Shown]], cheques: Sequence[Shown], say: Reporter) -> Fitted:
    """The calibration of one kind of field; where there is nothing to read, nothing is to be read as any kind.

    The weights are learnt from strings of all kinds; those of amounts, where there are cheques, from amounts alone.
    """
    form = field_format("postal_code", country="US") if kind == "postal_code" else field_format(kind)
    for_weights, second = ([one if one.is_field else replace(one, format=form) for one in half] for half in halves)
    cheques = cheques if kind == "amount" else []
    if cheques:
        amounts = [one for one in for_weights if _is_of(one, "amount")]
        for_weights = amounts[:: math.ceil(len(amounts) / (BESIDE_CHEQUES * len(cheques)))]
    found = fit(for_weights, [one for one in second if _is_of(one, *KINDS[kind])], cheques)
    right = np.mean([answer.right for answer in found.answers])
    say.line(
        f"{kind}: {right:.2%} of {len(found.answers)} pictures read right; threshold for 1 %: "
        f"{found.calibration.threshold(0.01):.4f}"
    )
    return found


def _is_of(one: Shown, *kinds: Kind) -> bool:
    return not one.is_field or one.format.kind in kinds


def network_of(model: LeNet5) -> Network:
    """A model as a function of arrays."""

    def network(inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        with torch.no_grad():
            found: npt.NDArray[np.floating] = F.log_softmax(model(torch.from_numpy(inputs)), 1).double().numpy()
        return found

    return network


def both(candidates: Network, network: LineNetwork) -> Networks:
    """What a field model reads with."""
    return Networks(candidates, partial(log_probabilities, network))


def calibration_of(runs: Path, fold: int) -> Path:
    """Where the calibration lies that has not seen a fold's cheques: beside the network that hasn't either."""
    return line.path_of(runs, line.of_fold(fold)).with_suffix(".json")


def _write(served: ServedModel, target: Path, network: LineNetwork, found: FieldCalibrations, *, cheques: bool) -> None:
    """The model with the network that reads lines and the calibration, as `target`, in one atomic step."""
    files = {file.name: file.read_bytes() for file in served.folder.iterdir() if file.is_file()}
    fields = {key: value for key, value in served.manifest.to_dict().items() if key not in MADE_BY_WRITING}
    fields["field_calibration"] = found.to_dict()
    fields["threshold"] = round(found.digits.threshold(0.01), 6)
    fields["training"] = {**fields["training"], "line": line.described(cheques=cheques)}
    learnt = {"lines": line.MADE} | ({"amounts": cheque_amounts.COUNT} if cheques else {})
    known = [one for one in fields["data"]["trained_on"] if one["name"] not in ("lines", "amounts")]
    made = sources.trained_on(learnt, served.manifest.training["config"]["data"]["train"])
    fields["data"] = {**fields["data"], "trained_on": [*known, *made]}
    write_model(target, {**files, LINE_GRAPH: line_onnx_bytes(network)}, fields)


if __name__ == "__main__":
    sys.exit(main())
