"""Fit how a field model's answers are weighed and what its confidence is worth, and write it into its manifest.

    python -m training.fields.calibrate lenet5-field --data-dir DIR

The weights are learnt on one half of the strings; the confidence and the thresholds are fitted on the other, whose
pictures are made with another seed. A model that has learnt from cheques is fitted to cheques as well, each read by the
network of the cross-validation that has not learnt from it (python -m training.fields.folds); each fold's own
calibration, which leaves its cheques out of everything, is written beside that fold's run, for the benchmark.
"""

import argparse
import json
import os
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import numpy.typing as npt
import torch
from torch.nn import functional as F  # noqa: N812  (its customary name)

from app.errors import ModelError
from app.fields import reader
from app.fields.calibration import CERTAIN, FieldCalibration
from app.fields.scores import described
from app.lenet import model as lenet
from app.lenet.model import LeNet5
from app.lenet.registry import Registry, ServedModel, default_model_dir
from app.lenet.weights import MANIFEST
from training import config
from training.calibrate import TARGET_ERRORS
from training.datasets.cheque_amounts import FOLDS
from training.errors import TrainingError
from training.fields import development, folds, weigh
from training.fields.development import Network, Shown
from training.fields.truth import right_readings
from training.progress import Reporter

FILE: Final = "field_calibration.json"
"""Beside the run of a fold."""

SEEDS: Final = (11, 12)
"""Of the made strings for the weights, and of those for the confidence."""


@dataclass(frozen=True)
class Answer:
    """One string's best reading."""

    posterior: float
    right: bool
    acceptable: bool  # nothing but the confidence may speak against it


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
        cheques: list[Shown] = []
        folders = _folders(served, options.runs)
        if folders:
            of_folds = {fold: network_of(folds.load(folder)) for fold, folder in folders.items()}
            cheques = list(say.track(development.cheques(of_folds, options.data_dir), "cheques", 680))
        for fold, folder in folders.items():
            others = [one for one in cheques if one.fold != fold]
            found = fit([*halves[0], *others], [*halves[1], *others])
            (folder / FILE).write_text(json.dumps(found.to_dict()))
            say.line(f"fold {fold}: calibrated")
        found = fit([*halves[0], *cheques], [*halves[1], *cheques])
    except (TrainingError, ModelError) as error:
        sys.stderr.write(f"{error}\n")
        return 2
    _write(served, found)
    answers = [answer(one, found) for one in [*halves[1], *cheques] if one.is_field]
    say.line(
        f"{served.spec}: {np.mean([one.right for one in answers]):.2%} of {len(answers)} strings read right; threshold "
        f"for 1 %: {found.threshold(0.01):.4f}"
    )
    return 0


def fit(for_weights: Sequence[Shown], for_confidence: Sequence[Shown]) -> FieldCalibration:
    """The calibration whose weights are learnt on the ones, and whose confidence and thresholds hold on the others."""
    lessons = [found for found in map(_lesson, for_weights) if found is not None]
    learnt = weigh.learn(lessons, FieldCalibration())
    answers = [answer(one, learnt) for one in for_confidence]
    offset, slope = _logistic([one for one in answers if one.acceptable])
    return _with_thresholds(replace(learnt, offset=offset, slope=slope), answers)


def _lesson(one: Shown) -> weigh.Lesson | None:
    seen, identity = described(one.proposal.segmentation, one.log_probs)
    readings = weigh.readings(one.proposal.segmentation, right_readings(one.format, one.texts, one.written))
    return weigh.Lesson(seen, identity, readings) if readings else None


def answer(one: Shown, calibration: FieldCalibration) -> Answer:
    """What a string is read as."""
    plain = replace(calibration, offset=0.0, slope=1.0, target_errors=(), thresholds=())
    reading = reader.decode(one.proposal, one.log_probs, one.format, n_best=1, weights=plain)
    right = one.is_field and reading.text in one.texts
    return Answer(reading.confidence, right, bool(reading.text) and not reading.reasons)


def network_of(model: LeNet5) -> Network:
    """A model as a function of arrays."""

    def network(inputs: npt.NDArray[np.float32]) -> npt.NDArray[np.floating]:
        with torch.no_grad():
            found: npt.NDArray[np.floating] = F.log_softmax(model(torch.from_numpy(inputs)), 1).double().numpy()
        return found

    return network


def _logistic(answers: Iterable[Answer]) -> tuple[float, float]:
    """Offset and slope of the log-odds of being right, over those of the posterior (Platt 1999)."""
    posterior = np.array([one.posterior for one in answers]).clip(1e-12, 1 - 1e-12)
    odds = torch.from_numpy(np.clip(np.log(posterior) - np.log1p(-posterior), -CERTAIN, CERTAIN))
    right = torch.tensor([float(one.right) for one in answers], dtype=torch.float64)
    form = torch.tensor([0.0, 1.0], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([form], max_iter=200, line_search_fn="strong_wolfe")

    def closure() -> torch.Tensor:
        optimizer.zero_grad()
        prior = form[0].square() / 50 + (form[1] - 1).square() / 2
        loss = F.binary_cross_entropy_with_logits(form[0] + form[1] * odds, right, reduction="sum") + prior
        loss.backward()  # type: ignore[no-untyped-call]
        return loss

    optimizer.step(closure)  # type: ignore[no-untyped-call]
    offset, slope = form.tolist()
    return round(offset, 4), round(max(slope, 0.05), 4)


def _with_thresholds(calibration: FieldCalibration, answers: Sequence[Answer]) -> FieldCalibration:
    """The least confidence at which the share of wrong among the accepted keeps to each target error.

    One wrong string more is counted than was found (conformal risk control, Angelopoulos et al. 2022, eq. 4).
    """
    sure = np.array([calibration.confidence(one.posterior) if one.acceptable else -1.0 for one in answers])
    wrong = np.array([not one.right for one in answers])
    order = np.argsort(-sure, kind="stable")
    sure, wrong = sure[order], wrong[order]
    risk = (np.cumsum(wrong) + 1) / np.arange(1, len(sure) + 1)
    may_end = (sure >= 0) & np.append(np.diff(sure) < 0, True)
    targets, thresholds = [], []
    for target in TARGET_ERRORS:
        within = np.flatnonzero(may_end & (risk <= target))
        if len(within):
            targets.append(target)
            thresholds.append(float(sure[within[-1]]))
    return replace(calibration, target_errors=tuple(targets), thresholds=tuple(thresholds))


def _folders(served: ServedModel, runs: Path) -> dict[int, Path]:
    """Of a model that has learnt from cheques: where the runs of its folds lie."""
    whole = config.parse(served.manifest.training["config"])
    if not whole.data.cheques:
        return {}
    return {fold: folds.run_dir(runs, folds.without(whole, fold)) for fold in range(FOLDS)}


def _write(served: ServedModel, found: FieldCalibration) -> None:
    """Put the calibration into the manifest, in place of one that may be there: by one atomic rename."""
    path = served.folder / MANIFEST
    values: dict[str, Any] = json.loads(path.read_text())
    values["field_calibration"] = found.to_dict()
    values["threshold"] = round(found.threshold(0.01), 6)
    new = path.with_suffix(".new")
    new.write_text(json.dumps(values, indent=2, ensure_ascii=False) + "\n")
    new.replace(path)


if __name__ == "__main__":
    sys.exit(main())
