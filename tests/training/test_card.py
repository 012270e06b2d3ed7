"""The model card: what programs read of it, what people read of it, and that it can be made anew."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import is_dataclass, replace
from pathlib import Path
from typing import Any, cast, get_args, get_type_hints

import pytest
import torch
from huggingface_hub import ModelCard
from small_run import Small

from app.lenet.calibration import Calibration
from app.lenet.weights import manifest_json
from training import config as configs
from training import datasets
from training.card import limits, recipe, sources
from training.cli import main
from training.config import Config
from training.material import gather
from training.progress import Silent
from training.report import Report


def manifest_of(folder: Path) -> dict[str, Any]:
    values: dict[str, Any] = json.loads((folder / "manifest.json").read_text())
    return values


def in_words(config: Config, calibration: Calibration | None = None) -> str:
    """Everything that a card says of a config."""
    return "\n".join(
        [
            recipe.network(config, config.architecture, 60_000),
            recipe.learning(config),
            recipe.distortions(config.distortions, config.recipe),
            recipe.distillation(config.distillation, []),
            recipe.validation(config),
            recipe.calibration(config, calibration),
        ]
    )


def test_huggingface_reads_the_figures_of_the_manifest(small: Small) -> None:
    """`huggingface_hub` finds every set in the head, and every value there is the manifest's."""
    metrics = manifest_of(small.model)["metrics"]
    card = ModelCard.load(small.model / "MODEL_CARD.md")
    assert card.data.model_name == "lenet5-small"
    assert card.data.datasets == ["ylecun/mnist"]
    assert card.data.eval_results
    found = {(one.dataset_name, one.metric_type): one.metric_value for one in card.data.eval_results}
    test = metrics["mnist-test"]
    title = datasets.describe("mnist-test").title
    assert found.pop((title, "accuracy")) == pytest.approx(1 - test["error_percent"] / 100)
    for kind, key in (("nll", "nll"), ("brier_score", "brier"), ("ece", "ece"), ("accepted", "accepted")):
        assert found.pop((title, kind)) == test[key]
    for kind, figures in metrics["hostile"].items():
        assert found.pop((f"made by the program: {kind}", "accepted")) == figures["accepted"]
        assert found.pop((f"made by the program: {kind}", "roc_auc")) == figures["confidence_auroc"]
    assert not found


def test_people_read_the_figures_of_the_manifest(small: Small) -> None:
    """The text has error, threshold and hardware, every set with its licence and checksum, and what is not here."""
    manifest = manifest_of(small.model)
    text = (small.model / "MODEL_CARD.md").read_text()
    test = manifest["metrics"]["mnist-test"]
    assert f"**{test['error_percent']:.2f} %**" in text
    assert f"| `mnist-test` | {test['misses']} of 10,000 |" in text
    assert str(manifest["threshold"]) in text
    assert manifest["training"]["device"] in text
    for one in (*manifest["data"]["trained_on"], *manifest["data"]["measured_on"]):
        assert one["licence"] in text
        assert all(digest in text for digest in one["sha256"].values())
    assert "all 60,000" not in text
    assert "1,500 of 60,000" in text
    for name in manifest["metrics"]["missing"]:
        assert f"`{name}`, {datasets.describe(name).title}: was not here to be measured" in text


@pytest.mark.usefixtures("prepared")
def test_a_card_is_made_anew_without_training(small: Small, tmp_path: Path) -> None:
    """`card` gives a folder that lost its card, figures and metrics all of them back, byte for byte; weights stay."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    for path in (*folder.glob("*.png"), folder / "MODEL_CARD.md"):
        path.unlink()
    manifest = manifest_of(folder)
    manifest["metrics"] = {key: manifest["metrics"][key] for key in ("held_out", "seeds")}
    (folder / "manifest.json").write_bytes(manifest_json(manifest))
    assert main(["card", "lenet5-small", "--model-dir", str(tmp_path), "--runs", str(tmp_path)]) == 0
    for path in small.model.iterdir():
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


@pytest.mark.usefixtures("prepared")
def test_seeds_that_finished_later_are_found(small: Small, tmp_path: Path) -> None:
    """`card` names each other seed of the same config that lies in the runs' folder, and no run of another config."""
    folder, runs = tmp_path / "models" / "lenet5-small" / "1", tmp_path / "runs"
    shutil.copytree(small.model, folder)
    own = json.loads((small.runs / "small-seed0" / "result.json").read_text())
    for seed, changed in ((1, {}), (2, {"preprocessing": "another"})):
        figure = own["figure"] | {"seed": seed, "error_percent": 50.0 + seed}
        (runs / f"small-seed{seed}").mkdir(parents=True)
        record = {"run": own["run"] | changed, "figure": figure}
        (runs / f"small-seed{seed}" / "result.json").write_text(json.dumps(record))
    shutil.copytree(small.runs / "small-seed0", runs / "small-seed0")
    assert main(["card", "lenet5-small", "--model-dir", str(tmp_path / "models"), "--runs", str(runs)]) == 0
    text = (folder / "MODEL_CARD.md").read_text()
    assert "with 2 seeds" in text
    mean = (own["figure"]["error_percent"] + 51) / 2
    assert f"**{mean:.2f} %** |" in text
    assert [one["seed"] for one in manifest_of(folder)["metrics"]["seeds"]] == [0, 1]


def test_a_folder_that_is_no_runs(small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Without the config and the log of a run no card is made, and the folder stays as it is."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    (folder / "log.jsonl").unlink()
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    assert main(["card", "lenet5-small", "--model-dir", str(tmp_path)]) == 2
    assert "has no config.toml and log.jsonl" in capsys.readouterr().err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


FULL = {
    "name": "full",
    "architecture.num_classes": 11,
    "architecture.input_scale": 2.0,
    "data.also": ["usps"],
    "data.limit": 50_000,
    "rubbish.pictures": 500,
    "rubbish.marks": "marks",
    "distortions.elastic": 0.5,
    "distillation.teachers": ["teacher-seed0"],
}
"""A config in which every part has something to say, by its keys."""

UNSPOKEN = {
    "name", "model", "network", "ship",  # where it is, and what is never served
    "accepted", "data.test", "data.train",  # elsewhere in the card
    "data.continental", "data.printed", "data.rerendered", "data.fields", "data.cheques",  # sets of their own there
    "data.fold",  # of models that are never served
}  # fmt: skip

TEN = {"architecture.num_classes": 10, "rubbish.pictures": 0, "rubbish.marks": ""}

BESIDE: dict[str, dict[str, Any]] = {
    "architecture.output": TEN,
    "graph.weight": {"data.cheques": 6, "recipe.start": "other"},
    "recipe.rubbish_penalty": {"recipe.criterion": "map"},
}
"""What else has to be there for a key to count."""

OTHER: dict[str, dict[str, Any]] = {
    "architecture.num_classes": TEN,
    "architecture.pool_kernel": {"architecture.pool_kernel": 3},
    "architecture.pool_stride": {"architecture.pool_stride": 3},
    "distillation.teachers": {"distillation.teachers": []},
}
"""What to change where it is not any other value."""


def keys(part: type[Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Every key of a config, and its type."""
    for name, kind in get_type_hints(part).items():
        if is_dataclass(kind):
            yield from keys(cast("type[Any]", kind), f"{prefix}{name}.")
        else:
            yield prefix + name, kind


def made(values: dict[str, Any]) -> Config:
    nested: dict[str, Any] = {}
    for key, value in values.items():
        part, _, name = key.rpartition(".")
        (nested.setdefault(part, {}) if part else nested)[name] = value
    return configs.parse(nested)


def another(kind: Any, value: Any) -> Any:
    if get_args(kind) and isinstance(value, str):
        return next(choice for choice in get_args(kind) if choice != value)
    if isinstance(value, bool):
        return not value
    if isinstance(value, float):
        return value / 2 + 0.3
    if isinstance(value, int):
        return value + 10
    return "letters" if kind is str else ["optdigits"]


@pytest.mark.parametrize(("key", "kind"), [(key, kind) for key, kind in keys(Config) if key not in UNSPOKEN])
def test_every_key_of_a_config_is_spoken_of(key: str, kind: Any) -> None:
    """A config that differs from another in any one key reads otherwise."""
    values = FULL | BESIDE.get(key, {})
    one = made(values)
    part, _, name = key.rpartition(".")
    value = getattr(getattr(one, part) if part else one, name)
    other = made(values | OTHER.get(key, {key: another(kind, value)}))
    calibration = Calibration.none(11)
    assert in_words(one, calibration) != in_words(other, calibration)


def test_all_that_a_run_learns_from_is_named() -> None:
    """Every part of a run's material, what it makes itself among it, has words and a licence."""
    made = {"continental": 20, "printed": 20, "rerendered": 20, "limit": 300, "validation_digits": 100}
    config = configs.parse(
        {"name": "x", "architecture": {"num_classes": 11}, "data": made, "rubbish": {"pictures": 20}}
    )
    counts = gather(config, None, torch.device("cpu"), Silent()).counts
    assert list(counts) == sources.learnt_by(config)
    sets = sources.trained_on(counts, "mnist-train")
    assert [one["count"] for one in sets] == list(counts.values())
    assert all(one["licence"] and one.get("is", one.get("title")) for one in sets)
    assert all(f"`{name}`" in sources.in_words(sets) for name in counts)
    assert not any("{" in str(value) for one in sets for value in one.values() if isinstance(value, str))


def test_a_card_says_what_its_model_is_for() -> None:
    """Fields, or one digit in a picture: in the first sentence and under its use."""
    digit, field = (made(FULL | {"task": task}) for task in ("digit", "field"))
    for words in (limits.reads, limits.use):
        assert "one handwritten digit" in words(digit)
        assert "one handwritten digit" not in words(field)
        assert "postal codes" in words(field)


def test_what_a_config_does_not_ask_for_is_not_spoken_of() -> None:
    """The paper's network, learnt as it is, reads as that: no distortion, teacher, rubbish output or calibration."""
    paper = configs.parse(
        {
            "name": "lenet5-1998",
            "input": "paper",
            "architecture": {"c3": "table1", "output": "rbf", "squash_subsampling": True},
            "recipe": {"criterion": "map", "rubbish_penalty": 1.5, "refit": False},
        }
    )
    text = in_words(replace(paper, architecture=paper.architecture.with_paper_input()))
    for words in ("Table I", "RBF", "MAP criterion", "1.5", "squashed", "without distortions", "-0.1", "1.175"):
        assert words in text
    for words in (
        "not squashed",
        "linear",
        "rotation",
        "distillation",
        "no digit",
        "cross-entropy",
        "anew on",
        "manifest",
    ):
        assert words not in text
    empty = Report("mnist-test", 0.5, 0.5, {}, {}, {}, ())
    said = limits.limits(paper, None, empty)
    assert "no output for what is none" in said
    assert "not calibrated" in said
    assert "printed type" in limits.use(paper)
