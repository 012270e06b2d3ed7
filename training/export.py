"""A trained model into a model folder: NAME/VERSION/ with all that a service and a reader need, in one atomic step."""

import json
import platform
from dataclasses import asdict, replace
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Any

from app.lenet.onnx_graph import onnx_bytes
from app.lenet.weights import GRAPH, WEIGHTS, Manifest, write_model
from training import card, datasets, figures
from training.card import SeedFigure
from training.config import to_toml
from training.errors import TrainingError
from training.run import RunResult

RESULT = "result.json"
"""Beside a run's checkpoint: its test figure, so that a card can speak of all seeds."""


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


def export(result: RunResult, target: Path) -> Manifest:
    """Write the model to `target` (.../NAME/VERSION), in place of one that may be there.

    Raises:
        OSError: the disk refuses; what was there is untouched.
    """
    config = result.config
    seeds = _record_seed(result)
    parameters = sum(tensor.numel() for tensor in result.model.parameters() if tensor.requires_grad)
    text = card.render(result, int(target.name), parameters, seeds, versions())
    files = {
        WEIGHTS: result.model.to_safetensors(),
        GRAPH: onnx_bytes(result.model),
        "MODEL_CARD.md": text.encode(),
        "config.toml": to_toml(config).encode(),
        "log.jsonl": "".join(json.dumps(asdict(record)) + "\n" for record in result.log).encode(),
        **figures.all_figures(result),
    }
    return write_model(target, files, _manifest_fields(result, seeds))


def _manifest_fields(result: RunResult, seeds: list[SeedFigure]) -> dict[str, Any]:
    config = result.config
    return {
        "task": "digit",
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "architecture": result.model.architecture.to_dict(),
        "threshold": result.held_out.threshold,
        "metrics": {
            config.data.test: result.test.to_dict(),
            "held_out": asdict(result.held_out),
            "seeds": [asdict(one) for one in seeds],
        },
        "training": {
            "config": config.to_dict(),
            "seed": config.seed,
            "device": result.device,
            "seconds": round(result.seconds, 1),
        },
        "data": {
            "trained_on": _data(config.data.train, result.learnt),
            "tested_on": _data(config.data.test, result.test.count),
        },
        "versions": versions(),
    }


def _data(name: str, count: int) -> dict[str, Any]:
    known = datasets.describe(name)
    return {
        "name": name,
        "title": known.title,
        "url": known.url,
        "licence": known.licence,
        "digits": count,
        "sha256": known.checksums,
    }


def _record_seed(result: RunResult) -> list[SeedFigure]:
    """Leave this run's test figure beside its checkpoint; return those of every seed of the same config found there.

    Runs lie beside each other, and only those count that differ from this one in nothing but the seed.
    """
    mine = SeedFigure(result.config.seed, result.test.error_percent, result.test.misses)
    common = result.identity | {"config": replace(result.config, seed=0).to_dict()}
    record = {"run": common, "figure": asdict(mine)}
    result.run_dir.mkdir(parents=True, exist_ok=True)
    (result.run_dir / RESULT).write_text(json.dumps(record, indent=2) + "\n", encoding="utf-8")
    found = {mine.seed: mine}
    for path in sorted(result.run_dir.parent.glob(f"{result.config.name}-seed*/{RESULT}")):
        other = json.loads(path.read_text(encoding="utf-8"))
        if other["run"] == json.loads(json.dumps(common)):
            found[other["figure"]["seed"]] = SeedFigure(**other["figure"])
    return [found[seed] for seed in sorted(found)]
