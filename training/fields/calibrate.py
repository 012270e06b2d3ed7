"""Fit how a field model's answers are weighed and what its confidence is worth, and write it into its manifest.

    python -m training.fields.calibrate lenet5-field --data-dir DIR

For each kind of field there is a calibration of its own (`training.fields.fit`). A model that has learnt from cheques
is fitted to cheques as well, each read by the network of the cross-validation that has not learnt from it
(python -m training.fields.folds); each fold's own calibration, whose weights have not seen its cheques either, is
written beside that fold's run, for the benchmark.
"""

import argparse
import json
import math
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.errors import ModelError
from app.fields.calibration import FieldCalibrations
from app.fields.formats import Kind, field_format
from app.lenet import model as lenet
from app.lenet.atomic_file import write_file
from app.lenet.model import LeNet5
from app.lenet.registry import Registry, ServedModel, default_model_dir
from app.lenet.weights import MANIFEST, manifest_json
from training import config
from training.datasets.cheque_amounts import FOLDS
from training.errors import TrainingError
from training.fields import development, folds
from training.fields.development import Network, Shown
from training.fields.fit import Fitted, fit
from training.progress import Reporter

FILE: Final = "field_calibration.json"
"""Beside the run of a fold."""

SEEDS: Final = (11, 12)
"""Of the made strings for the weights, and of those for the confidence."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Fit, write, say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model", help="NAME or NAME:VERSION of a field model")
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--model-dir", type=Path, default=default_model_dir())
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the folds' runs lie")
    parser.add_argument("--count", type=int, default=1000, help="made strings for either half")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    say = Reporter()
    try:
        served = Registry.open(options.model_dir, {}).resolve(options.model, "field")
        network = network_of(lenet.load(served.folder))
        halves = [
            list(say.track(development.made(options.count, seed, network, options.data_dir), what, options.count))
            for seed, what in zip(SEEDS, ("strings for the weights", "strings for the confidence"), strict=True)
        ]
        folders = _folders(served, options.runs)
        of_folds = {fold: network_of(folds.load(folder)) for fold, folder in folders.items()}
        cheques = list(development.cheques(of_folds, options.data_dir)) if folders else []
    except (TrainingError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    found = {kind: _fitted(kind, halves, cheques, say) for kind in KINDS}
    for fold, folder in folders.items():
        (folder / FILE).write_text(json.dumps(FieldCalibrations(amount=found["amount"].of_folds[fold]).to_dict()))
    _write(served, FieldCalibrations(**{kind: of_kind.calibration for kind, of_kind in found.items()}))
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


def _folders(served: ServedModel, runs: Path) -> dict[int, Path]:
    """Of a model that has learnt from cheques: where the runs of its folds lie."""
    whole = config.parse(served.manifest.training["config"])
    if not whole.data.cheques:
        return {}
    return {fold: folds.run_dir(runs, folds.without(whole, fold)) for fold in range(FOLDS)}


def _write(served: ServedModel, found: FieldCalibrations) -> None:
    """Put the calibration into the manifest, in place of one that may be there: by one atomic rename."""
    path = served.folder / MANIFEST
    values: dict[str, Any] = json.loads(path.read_text())
    values["field_calibration"] = found.to_dict()
    values["threshold"] = round(found.digits.threshold(0.01), 6)
    write_file(path, manifest_json(values))


if __name__ == "__main__":
    sys.exit(main())
