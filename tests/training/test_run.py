"""A run from end to end: what it leaves, and that it can be cut anywhere."""

import json
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from small_run import Small

from app.imaging import PREPROCESSING_ID
from app.lenet.registry import Registry
from training import checkpoint, config, material
from training.card.render import FIGURES
from training.cli import main
from training.errors import CheckpointError, DatasetError
from training.inputs import Examples
from training.run import run

RUNNER = """
import signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs ignore it
from training.cli import main
sys.exit(main(sys.argv[1:]))
"""


def weights(small: Small) -> bytes:
    return (small.model / "model.safetensors").read_bytes()


def test_a_run_leaves_a_model_that_can_be_served(small: Small) -> None:
    """The folder passes the registry's checks and holds the config, the log, the card and its pictures."""
    registry = Registry.open(small.model.parents[1], {"digit": "lenet5-small"})
    manifest = registry.resolve(None, "digit").manifest
    assert (manifest.name, manifest.version, manifest.task) == ("lenet5-small", 1, "digit")
    assert manifest.preprocessing == PREPROCESSING_ID
    card = (small.model / "MODEL_CARD.md").read_text()
    pictures = {path.name for path in small.model.glob("*.png")}
    assert pictures == set(FIGURES)
    assert all(f"]({name})" in card for name in pictures)
    assert config.load(small.model / "config.toml") == config.load(small.config)
    log = [json.loads(line) for line in (small.model / "log.jsonl").read_text().splitlines()]
    assert [(row["phase"], row["epoch"]) for row in log] == [
        (phase, epoch) for phase in ("measured", "refit") for epoch in (1, 2, 3)
    ]


def test_the_first_operation_standardises_what_was_learnt(small: Small) -> None:
    """Scale and offset in the manifest turn the training digits into mean 0 and deviation 1."""
    from training import datasets

    architecture = json.loads((small.model / "manifest.json").read_text())["architecture"]
    pictures = datasets.load("mnist-train").pictures[:1500] / 255
    pixels = np.pad(pictures, ((0, 0), (2, 2), (2, 2))) * architecture["input_scale"] + architecture["input_offset"]
    assert pixels.mean() == pytest.approx(0, abs=0.01)
    assert pixels.std() == pytest.approx(1, abs=0.01)


def test_the_same_config_and_seed_give_the_same_file(small: Small, tmp_path: Path) -> None:
    """On a CPU a second run from the beginning writes identical weights, another seed others."""
    settings = config.load(small.config)
    again = run(settings, run_dir=tmp_path, on="cpu")
    assert again.model.to_safetensors() == weights(small)
    other = run(config.parse(settings.to_dict() | {"seed": 1}), run_dir=tmp_path, on="cpu")
    assert other.model.to_safetensors() != weights(small)


@pytest.mark.parametrize(
    ("end", "after"),
    [(signal.SIGINT, 1), (signal.SIGKILL, 4)],
    ids=["SIGINT in the first phase", "SIGKILL in the second"],
)
def test_an_interrupted_run_resumes_to_the_same_weights(
    small: Small, tmp_path: Path, end: signal.Signals, after: int
) -> None:
    """Killed after some epoch in another process, and resumed here: the weights of a run that nobody disturbed."""
    command = [sys.executable, "-c", RUNNER, "train", str(small.config), "--runs", str(tmp_path), "--device", "cpu"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=os.environ | {"OMP_NUM_THREADS": "1"})
    assert process.stdout
    for line in process.stdout:
        after -= " epoch " in line
        if not after:
            break
    process.send_signal(end)
    rest, _ = process.communicate(timeout=60)
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert "with --resume to go on" in rest
    else:
        assert process.returncode == -end
    run_dir = tmp_path / "small-seed0"
    assert (run_dir / checkpoint.FILE).is_file()
    assert not list((tmp_path / "models").rglob("manifest.json"))
    resumed = run(config.load(small.config), run_dir=run_dir, on="cpu", resume=True)
    assert resumed.model.to_safetensors() == weights(small)
    assert [(record.phase, record.epoch) for record in resumed.log] == [
        (phase, epoch) for phase in ("measured", "refit") for epoch in (1, 2, 3)
    ]


def test_a_finished_run_resumes_to_its_end(small: Small) -> None:
    """`--resume` after the last epoch trains nothing and has the same model."""
    resumed = run(config.load(small.config), run_dir=small.runs / "small-seed0", on="cpu", resume=True)
    assert resumed.model.to_safetensors() == weights(small)
    assert len(resumed.log) == 6


def test_another_config_does_not_go_on(small: Small) -> None:
    """A checkpoint of another recipe is refused with the key that differs."""
    other = config.parse(config.load(small.config).to_dict() | {"recipe": {"epochs": 9}})
    with pytest.raises(CheckpointError, match=r"config\.recipe\.epochs was 3 and is 9"):
        run(other, run_dir=small.runs / "small-seed0", on="cpu", resume=True)


def test_other_pixels_do_not_go_on(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    """A checkpoint is refused when the same pictures are normalised otherwise than at its start."""
    known = material.prepare

    def otherwise(*arguments: Any) -> Examples:
        examples = known(*arguments)
        return Examples(examples.inputs * 0.5, examples.labels)

    monkeypatch.setattr(material, "prepare", otherwise)
    with pytest.raises(CheckpointError, match="inputs was"):
        run(config.load(small.config), run_dir=small.runs / "small-seed0", on="cpu", resume=True)


def test_without_the_writers_there_is_no_other_split(tmp_path: Path) -> None:
    """A config that asks for the writer-disjoint split fails without the file that says who wrote what."""
    settings = config.parse({"name": "x", "data": {"validation": "writers"}})
    with pytest.raises(DatasetError, match=r"mnist/train_writers\.npz is not in .* made by hand"):
        run(settings, run_dir=tmp_path, on="cpu")


def test_max_error_is_the_exit_code(
    small: Small, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """With `--max-error` the exit code says whether the test error is that or less; the last line has the figures."""
    monkeypatch.setattr("training.cli.export", lambda *_, **__: None)  # only the way to it is tried here
    command = ["train", str(small.config), "--runs", str(small.runs), "--device", "cpu", "--resume"]
    assert main([*command, "--max-error", "100"]) == 0
    last = capsys.readouterr().out.splitlines()[-1]
    assert last.startswith("test error ")
    for word in ("misread", "trained in", "cpu (", "torch ", "python "):
        assert word in last
    assert main([*command, "--max-error", "0.01"]) == 1
    assert "above --max-error" in capsys.readouterr().out.splitlines()[-1]
