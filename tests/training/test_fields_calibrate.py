"""`python -m training.fields.calibrate`: the next version of a field model, with what reads lines."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import field_material
import pytest
import torch
from safetensors.torch import save_file

from app.fields.calibration import FieldCalibrations
from app.lenet.registry import Registry, default_model_dir
from app.lenet.weights import LINE_GRAPH, WEIGHTS, verify
from app.runtime import open_line
from training.fields import calibrate, development, line
from training.fields import fit as fitting
from training.fields.line_model import LineNetwork


@pytest.fixture(autouse=True)
def here(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The sets that no clone brings along are stood in for; little is learnt."""
    monkeypatch.setattr(development, "writers", lambda *_, **__: field_material.writers(0))
    monkeypatch.setattr(development, "marks", lambda *_, **__: field_material.marks())
    monkeypatch.setattr(fitting, "ROUNDS", 3)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    """A model folder with one model of fields, and beside it the network that reads lines, untrained."""
    shipped = Registry.open(default_model_dir(), {}).resolve("lenet5-field-open", "field")
    shutil.copytree(shipped.folder, tmp_path / "models" / shipped.name / str(shipped.version))
    torch.manual_seed(0)
    path = line.path_of(tmp_path / "runs", line.OPEN)
    path.parent.mkdir(parents=True)
    save_file(LineNetwork().state_dict(), path)
    return tmp_path / "models"


def test_the_next_version_reads_lines_too(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Its LeNet-5 and its files are the same; it says what the new network learnt from, and can be served."""
    before = Registry.open(models, {}).resolve("lenet5-field-open", "field")
    arguments = ["lenet5-field-open", "--model-dir", str(models), "--runs", str(models.parent / "runs"), "--count", "8"]
    assert calibrate.main(arguments) == 0
    after = Registry.open(models, {}).resolve("lenet5-field-open", "field")
    assert (after.version, before.version) == (before.version + 1, before.version)
    manifest = verify(after.folder)
    assert manifest.sha256[WEIGHTS] == before.manifest.sha256[WEIGHTS]
    assert LINE_GRAPH in manifest.sha256
    assert open_line(after.folder) is not None
    assert {file.name for file in before.folder.iterdir()} | {LINE_GRAPH} == {f.name for f in after.folder.iterdir()}
    assert manifest.training["line"] == line.described(cheques=False)
    assert [one["name"] for one in manifest.data["trained_on"]].count("lines") == 1
    assert FieldCalibrations.from_dict(manifest.field_calibration or {}).amount.weights
    assert str(after.folder) in capsys.readouterr().out


def test_a_version_is_replaced_only_when_asked(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is read or learnt before that is known."""
    version = str(Registry.open(models, {}).resolve("lenet5-field-open", "field").version)
    arguments = ["lenet5-field-open", "--model-dir", str(models), "--version", version]
    assert calibrate.main(arguments) == 2
    assert "--force replaces it" in capsys.readouterr().err


def test_a_network_that_was_not_trained_is_said(models: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One line with the command that trains it; no version is written."""
    arguments = ["lenet5-field-open", "--cheques", "--model-dir", str(models), "--runs", str(models.parent / "runs")]
    assert calibrate.main(arguments) == 2
    assert "python -m training.fields.line" in capsys.readouterr().err
    assert len(list((models / "lenet5-field-open").iterdir())) == 1
