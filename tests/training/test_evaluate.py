"""Measuring a model anew, by its weights and by its graph."""

import json
import shutil
from pathlib import Path

import pytest
from small_run import Small

from app.lenet.registry import default_model_dir
from training.cli import main
from training.evaluate import differences, evaluate


def said(capsys: pytest.CaptureFixture[str]) -> str:
    return capsys.readouterr().out


@pytest.mark.parametrize("backend", ["torch", "onnx"])
def test_the_card_is_reproduced(small: Small, capsys: pytest.CaptureFixture[str], backend: str) -> None:
    """`evaluate --check` finds the card's figures again, by the weights and by the graph, and exits with 0."""
    command = ["evaluate", "lenet5-small:1", "--model-dir", str(small.model.parents[1]), "--device", "cpu"]
    assert main([*command, "--backend", backend, "--check"]) == 0
    misses = json.loads((small.model / "manifest.json").read_text())["metrics"]["mnist-test"]["misses"]
    out = said(capsys)
    assert f"({misses} of 10000 misread)" in out
    assert out.splitlines()[-1] == "as the card says"


def test_another_figure_is_found(small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """A card that claims one miss less is contradicted: the exit code is 1 and both figures are named."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    true = manifest["metrics"]["mnist-test"]["misses"]
    manifest["metrics"]["mnist-test"]["misses"] = true - 1
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert main(["evaluate", "lenet5-small", "--model-dir", str(tmp_path), "--check", "--device", "cpu"]) == 1
    assert f"misses: stated {true - 1}, measured {true}" in said(capsys)


def test_a_set_that_the_card_does_not_speak_of(
    small: Small, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """`--check` on a set without stated figures is an error, not an agreement."""
    folder = tmp_path / "lenet5-small" / "1"
    shutil.copytree(small.model, folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    del manifest["metrics"]["mnist-test"]
    (folder / "manifest.json").write_text(json.dumps(manifest))
    assert main(["evaluate", "lenet5-small", "--model-dir", str(tmp_path), "--check", "--device", "cpu"]) == 2
    assert "states no figures on mnist-test" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nobody"], "No model 'nobody'"),
        (["lenet5-small", "--data", "mnits"], "There is no data set 'mnits'"),
        (["lenet5-small", "--device", "gpu"], "'gpu' is no device"),
        (["lenet5-small", "--device", "cuda:99"], "cuda:99 is not here"),
    ],
)
def test_what_cannot_be_measured(
    small: Small, capsys: pytest.CaptureFixture[str], arguments: list[str], message: str
) -> None:
    """A wrong model, set or device is one line on standard error and the exit code 2."""
    assert main(["evaluate", *arguments, "--model-dir", str(small.model.parents[1])]) == 2
    error = capsys.readouterr().err
    assert message in error
    assert len(error.splitlines()) == 1


def test_shipped_weights_reproduce_their_card(prepared: None) -> None:
    """The weights that come with the project have the figures that their manifest and card state: at most 1.1 %."""
    found = evaluate("lenet5:1", "mnist-test", model_dir=default_model_dir(), backend="onnx")
    assert differences(found, "mnist-test") == []
    assert found.metrics.error_percent <= 1.1
    card = (found.model.folder / "MODEL_CARD.md").read_text()
    assert f"**{found.metrics.error_percent:.2f} %** ({found.metrics.misses} of 10,000" in card
