"""A trained model into a model folder: NAME/VERSION/ with all that a service and a reader need, in one atomic step.

The card of a model that lies in its folder is made anew by the same steps, from what the folder keeps: `describe` is
the one way to a card, its figures and the manifest's.
"""

import hashlib
import json
import platform
from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from app.lenet.calibration import Calibration
from app.lenet.onnx_graph import onnx_bytes
from app.lenet.registry import ServedModel
from app.lenet.weights import GRAPH, WEIGHTS, Manifest, write_model
from training import checkpoint, figures, shipped
from training import config as configs
from training.card import sources
from training.card.render import render
from training.card.tables import SeedFigure
from training.config import to_toml
from training.errors import TrainingError
from training.progress import Reporter
from training.report import Report, report
from training.run import RunResult
from training.shipped import CONFIG, LOG, Shipped

RESULT = "result.json"
"""Beside a run's checkpoint: its figures, so that a card can speak of all seeds."""


def versions() -> dict[str, str]:
    """Of the programs that a figure depends on."""
    packages = ("lenet5-serve", "torch", "numpy", "opencv-python-headless", "onnxruntime")
    return {"python": platform.python_version()} | {name: installed(name) for name in packages}


def target_folder(output: Path, name: str, wanted: int | None, *, replace_it: bool) -> Path:
    """Where a model goes: `output`/NAME/VERSION with the next free version, or the one that is wanted.

    Raises:
        TrainingError: the version that is wanted is there and may not be replaced.
    """
    folder = output / name
    taken = [int(path.name) for path in folder.glob("[0-9]*") if path.name.isdecimal()] if folder.is_dir() else []
    chosen = max(taken, default=0) + 1 if wanted is None else wanted
    if chosen in taken and not replace_it:
        raise TrainingError(f"{folder / str(chosen)} is there already; --force replaces it.")
    return folder / str(chosen)


def export(
    result: RunResult, target: Path, *, data_dir: Path | None = None, reporter: Reporter | None = None
) -> Manifest:
    """Write the model to `target` (.../NAME/VERSION), in place of one that may be there.

    Raises:
        TrainingError: a data set that is here is damaged.
        OSError: the disk refuses; what was there is untouched.
    """
    made = _of_run(result, target)
    measured = measure(made, data_dir=data_dir, reporter=reporter)
    same = _same_but_seed(result)
    figure = SeedFigure(
        seed=result.config.seed,
        error_percent=measured.digits[measured.test].metrics.error_percent,
        misses=measured.digits[measured.test].metrics.misses,
        held_out_error_percent=result.held_out.error_percent,
        others={name: one.metrics.error_percent for name, one in measured.digits.items() if name != measured.test},
    )
    result.run_dir.mkdir(parents=True, exist_ok=True)
    record = json.dumps({"run": same, "figure": asdict(figure)}, indent=2)
    (result.run_dir / RESULT).write_text(record + "\n", encoding="utf-8")
    return describe(made, measured, seeds_of(made, result.run_dir.parent), target)


def renew(
    served: ServedModel, *, data_dir: Path | None = None, runs: Path | None = None, reporter: Reporter | None = None
) -> Manifest:
    """Measure a model anew and write its card, figures and manifest in place of the old; its weights stay.

    Seeds that have finished since are looked for in `runs`.

    Raises:
        TrainingError: the folder is not a run's, or a data set that is here is damaged.
        ServiceError: the model must not be served.
        OSError: the disk refuses; what was there is untouched.
    """
    made = shipped.of_folder(served)
    measured = measure(made, data_dir=data_dir, reporter=reporter)
    seeds = seeds_of(made, runs) if runs else []
    known = [SeedFigure(**one) for one in made.fields["metrics"]["seeds"]]
    return describe(made, measured, seeds if len(seeds) >= len(known) else known, served.folder)


def measure(made: Shipped, *, data_dir: Path | None = None, reporter: Reporter | None = None) -> Report:
    """The report of a model with its own calibration and threshold."""
    calibration = made.calibration or Calibration.none(made.model.architecture.num_classes)
    return report(made.model, calibration, made.threshold, made.config, data_dir=data_dir, reporter=reporter)


def describe(made: Shipped, measured: Report, seeds: Sequence[SeedFigure], target: Path) -> Manifest:
    """Write the folder with its card, its figures, and a manifest that says the same."""
    data = {
        "trained_on": sources.trained_on(shipped.counts(made), made.config.data.train),
        "measured_on": sources.measured_on(measured),
    }
    metrics = {
        **measured.to_metrics(),
        "held_out": made.fields["metrics"]["held_out"],
        "seeds": [asdict(one) for one in seeds],
    }
    files = {
        **made.files,
        "MODEL_CARD.md": render(made, measured, data, seeds).encode(),
        **figures.all_figures(made, measured),
    }
    return write_model(target, files, {**made.fields, "data": data, "metrics": metrics})


def _of_run(result: RunResult, target: Path) -> Shipped:
    config, held_out = result.config, asdict(result.held_out)
    calibration = held_out.pop("calibration")
    return Shipped(
        name=target.parent.name,
        version=int(target.name),
        model=result.model,
        config=config,
        log=result.log,
        fields={
            "task": config.task,
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
            "architecture": result.model.architecture.to_dict(),
            "threshold": result.held_out.threshold,
            "calibration": calibration,
            "metrics": {"held_out": held_out},
            "training": {
                "config": config.to_dict(),
                "run": _digest(_same_but_seed(result)),
                "seed": config.seed,
                "device": result.device,
                "seconds": round(result.seconds, 1),
                "teachers": [_teacher(result.run_dir.parent, name) for name in config.distillation.teachers],
            },
            "data": {"trained_on": [{"name": name, "count": count} for name, count in result.counts.items()]},
            "versions": versions(),
        },
        files={
            WEIGHTS: result.model.to_safetensors(),
            GRAPH: onnx_bytes(result.model),
            CONFIG: to_toml(config).encode(),
            LOG: "".join(json.dumps(asdict(record)) + "\n" for record in result.log).encode(),
        },
    )


def _teacher(runs: Path, name: str) -> dict[str, Any]:
    """What a teacher was: its config, what it learnt from, and how well it read its own held-out digits."""
    found = checkpoint.finished_run(runs / name)
    config = configs.parse(found.run["config"])
    return {
        "run": name,
        "config": found.run["config"],
        "data": sources.learnt_by(config),
        "held_out_error_percent": found.progress["log"][-1]["held_out_error_percent"],
    }


def _same_but_seed(result: RunResult) -> dict[str, Any]:
    """What the runs have in common that differ from this one in nothing but the seed, as JSON holds it."""
    same: dict[str, Any] = json.loads(
        json.dumps(result.identity | {"config": replace(result.config, seed=0).to_dict()})
    )
    return same


def _digest(values: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest()


def seeds_of(made: Shipped, runs: Path) -> list[SeedFigure]:
    """The figures of every seed of the same config whose run lies in `runs`."""
    found = []
    for path in runs.glob(f"{made.config.name}-seed*/{RESULT}"):
        record = json.loads(path.read_text(encoding="utf-8"))
        if _digest(record["run"]) == made.fields["training"].get("run"):
            found.append(SeedFigure(**record["figure"]))
    return sorted(found, key=lambda one: one.seed)


def summary(result: RunResult) -> str:
    """A run's last line."""
    test = result.test
    return (
        f"test error {test.error_percent:.2f} % ({test.misses} of {test.count} misread), trained in "
        f"{result.seconds:.0f} s on {result.device}, "
        + ", ".join(f"{name} {number}" for name, number in versions().items())
    )
