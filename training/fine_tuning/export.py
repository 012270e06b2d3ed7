"""A fine-tuned model into a model folder, as a version that the service can serve at once."""

import json
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from app.lenet.calibration import Calibration
from app.lenet.onnx_graph import onnx_bytes
from app.lenet.registry import ServedModel
from app.lenet.weights import GRAPH, WEIGHTS, Manifest, write_model
from training import calibrate
from training.datasets import RUBBISH
from training.export import target_folder, versions
from training.fine_tuning import card
from training.fine_tuning.run import FineTuned, Measured
from training.metrics import Metrics, measure

WEIGHT_OF_NO_DIGIT = 0.1
"""Of what is no digit in the calibration, of each set, beside 1 for its digits: how often it is met."""


def next_version(parent: ServedModel, output: Path) -> Path:
    """Where the new version goes: OUTPUT/NAME/VERSION, the version above all that are in `output` and the parent's."""
    free = target_folder(output, parent.name, None, replace_it=False)
    return free.with_name(str(max(int(free.name), parent.version + 1)))


def export(result: FineTuned, target: Path) -> Manifest:
    """Write the model to `target` (.../NAME/VERSION), all of it or nothing.

    Raises:
        OSError: the disk refuses.
    """
    fields = _manifest_fields(result)
    files = {
        WEIGHTS: result.model.to_safetensors(),
        GRAPH: onnx_bytes(result.model),
        "MODEL_CARD.md": card.render(result, target.parent.name, int(target.name), fields).encode(),
        "log.jsonl": "".join(json.dumps(one.to_dict()) + "\n" for one in result.log).encode(),
    }
    return write_model(target, files, fields)


def _manifest_fields(result: FineTuned) -> dict[str, Any]:
    parent = result.parent.manifest
    fitted = _calibration(result)
    calibration = fitted or Calibration.none(parent.architecture.num_classes)
    return {
        "task": parent.task,
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "architecture": parent.architecture.to_dict(),
        "threshold": _threshold(result, calibration),
        "calibration": fitted and fitted.to_dict(),
        "metrics": {
            result.rehearsal.config.data.test: _measured(result.test, calibration).to_dict(),
            "fine_tuning": [compared.to_dict() for compared in result.compared],
        },
        "training": {
            "config": parent.training["config"],  # of the run that first made it: what must not be forgotten
            "fine_tuned_from": {"model": result.parent.spec, "sha256": dict(parent.sha256)},
            "options": asdict(result.options),
            "epoch": result.choice.candidate.epoch,
            "share": result.choice.candidate.share,
            "refusal": result.choice.refusal,
            "seed": result.options.seed,
            "device": result.device,
        },
        "data": {
            "own": {
                "pictures": len(result.own),
                "classes": result.own.counts,
                "groups": len(set(result.own.groups)) if result.own.groups else None,
                "learnt": result.learnt,
                "held_out": len(result.own) - result.learnt,
                "skipped": len(result.own.skipped),
                "sha256": result.own.sha256(),
            },
            "rehearsed": {
                name: {"pictures": count, "is": card.described(name)} for name, count in result.rehearsal.counts.items()
            },
            "before": dict(parent.data),
        },
        "versions": versions(),
    }


def _measured(test: Measured, calibration: Calibration) -> Metrics:
    found = calibration.apply(test.logits)
    return measure(found.probabilities, test.labels, confidence=found.confidence, logits=test.logits[:, :RUBBISH])


def _calibration(result: FineTuned) -> Calibration | None:
    """Fitted anew, if the parent had one, to what is held out: own and old digits alike, and what is no digit."""
    if result.parent.manifest.calibration is None:
        return None
    groups = [
        (f"{name} {what}", one.logits[chosen], one.labels[chosen], weight)
        for name, one in result.held_out.items()
        for what, chosen, weight in (
            ("digits", one.labels != RUBBISH, 1.0),
            ("no digits", one.labels == RUBBISH, WEIGHT_OF_NO_DIGIT),
        )
        if chosen.any()
    ]
    return calibrate.fit(groups)


def _threshold(result: FineTuned, calibration: Calibration) -> float:
    """The confidence that the share `accepted` of the parent's config of all held-out digits reaches, own and old."""
    digits = np.concatenate([one.logits[one.labels != RUBBISH] for one in result.held_out.values()])
    return calibrate.accepting(calibration, digits, result.rehearsal.config.accepted)
