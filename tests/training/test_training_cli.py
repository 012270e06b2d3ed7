"""The command line: what it teaches, where it writes, and how it fails."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from training import datasets, export
from training.cli import main
from training.errors import TrainingError


def test_help_teaches() -> None:
    """`python -m training --help` names the commands, a first run and the exit codes."""
    command = [sys.executable, "-m", "training", "--help"]
    out = subprocess.run(
        command, capture_output=True, text=True, check=True, env=os.environ | {"COLUMNS": "200"}
    ).stdout
    for word in ("train ", "evaluate ", "fetch ", "training/configs/baseline.toml", "Exit codes: 0 done; 1"):
        assert word in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["train", "nothing.toml"], "nothing.toml: "),
        (["train"], "config"),
        (["train", "x.toml", "--epochs", "3"], "--epochs"),
        (["walk"], "walk"),
    ],
)
def test_a_wrong_command_exits_with_2(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    """What is wrong is said, without a traceback."""
    assert main(arguments) == 2
    captured = capsys.readouterr()
    assert message in (captured.out + captured.err).lower()
    assert "Traceback" not in captured.out + captured.err


def test_fetch_says_what_there_is(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    """Without a name `fetch` lists every set and whether it is here, damaged or missing."""
    (tmp_path / "mnist").mkdir()
    (tmp_path / "mnist" / "t10k-labels-idx1-ubyte.gz").write_bytes(b"damaged")
    assert main(["fetch", "--data-dir", str(tmp_path)]) == 0
    states = {line.split()[0]: line.split()[1] for line in capsys.readouterr().out.splitlines()}
    assert states.keys() == datasets.DATASETS.keys()
    assert (states.pop("mnist-train"), states.pop("mnist-test")) == ("here", "damaged")
    assert set(states.values()) == {"missing"}


def test_the_data_folder_may_be_named_by_the_environment(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LENET5_DATA_DIR is `--data-dir`."""
    monkeypatch.setenv("LENET5_DATA_DIR", str(tmp_path))
    assert main(["evaluate", "lenet5", "--data", "usps"]) == 2
    assert str(tmp_path) in capsys.readouterr().err


def test_fetch_leaves_what_is_right(capsys: pytest.CaptureFixture[str]) -> None:
    """`fetch mnist` in a clone checks the four files and fetches nothing."""
    assert main(["fetch", "mnist"]) == 0
    assert capsys.readouterr().out.count("is here and right") == 4


def test_the_next_free_version_is_written(tmp_path: Path) -> None:
    """Without a wish the version is one above the highest; a wish that is taken needs --force."""
    assert export.target_folder(tmp_path, "x", None, replace_it=False) == tmp_path / "x" / "1"
    for version in ("1", "9", "10", ".2.new-x"):
        (tmp_path / "x" / version).mkdir(parents=True)
    assert export.target_folder(tmp_path, "x", None, replace_it=False).name == "11"
    assert export.target_folder(tmp_path, "x", 3, replace_it=False).name == "3"
    with pytest.raises(TrainingError, match="--force replaces it"):
        export.target_folder(tmp_path, "x", 9, replace_it=False)
    assert export.target_folder(tmp_path, "x", 9, replace_it=True).name == "9"


@pytest.mark.parametrize("option", ["--runs", "--output"])
def test_a_folder_that_cannot_be_written_is_told_before_the_work(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, option: str
) -> None:
    """Where a file stands in the way of checkpoints or of the model, one line says so and nothing is trained."""
    (tmp_path / "file").touch()
    folders = {"--runs": str(tmp_path / "runs"), "--output": str(tmp_path / "models")} | {
        option: str(tmp_path / "file")
    }
    arguments = [word for pair in folders.items() for word in pair]
    assert main(["train", "training/configs/tiny.toml", "--device", "cpu", *arguments]) == 2
    captured = capsys.readouterr()
    assert str(tmp_path / "file") in captured.err
    assert "digits to learn from" not in captured.out
