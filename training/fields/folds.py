"""The models of a cross-validation over the cheques: for each fold one that has not learnt from its amounts.

    python -m training.fields.folds training/configs/lenet5-field.toml --data-dir DIR

Each is a run of its own, NAME-foldF-seedS beside the others, with the config's recipe; a finished one is left as it is.
Of a config that is taught by a run which learns from cheques too, train the folds of that one first. None is shipped:
`python -m benchmarks.fields` measures every amount with the model that has not learnt from it.
"""

import argparse
import os
import re
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from app.lenet.model import LeNet5
from training import checkpoint, config
from training.config import Config
from training.datasets.cheque_amounts import FOLDS
from training.errors import CheckpointError, TrainingError
from training.progress import Reporter
from training.run import learn


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("config", type=Path)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--only", type=int, nargs="*", default=range(FOLDS), help="these folds (default: all)")
    options = parser.parse_args(arguments)
    try:
        whole = config.load(options.config)
        for fold in options.only:
            of_fold = without(whole, fold)
            folder = run_dir(options.runs, of_fold)
            if not _is_finished(folder):
                learn(of_fold, run_dir=folder, data_dir=options.data_dir, on="cpu", reporter=Reporter())
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def without(whole: Config, fold: int) -> Config:
    """The config of the run that leaves a fold of the cheques out; its teachers are those that have left it out too."""
    teachers = tuple(re.sub(r"(-seed\d+)$", rf"-fold{fold}\1", name) for name in whole.distillation.teachers)
    return replace(
        whole,
        name=f"{whole.name}-fold{fold}",
        ship=False,
        data=replace(whole.data, fold=fold),
        distillation=replace(whole.distillation, teachers=teachers),
    )


def run_dir(runs: Path, of: Config) -> Path:
    """Where a config's run lies."""
    return runs / f"{of.name}-seed{of.seed}"


def load(folder: Path) -> LeNet5:
    """The network that the finished run in `folder` ended with, in evaluation mode.

    Raises:
        CheckpointError: there is no run, it is damaged, or it stopped half way.
    """
    asked = config.parse(checkpoint.finished_run(folder).run["config"])
    if asked.input != "paper":
        raise CheckpointError(f"{folder}: of its input {asked.input!r} the run keeps no constants; take 'paper'.")
    model = LeNet5.from_architecture(asked.architecture.with_paper_input())
    model.load_state_dict(checkpoint.finished_model(folder))
    return model.eval()


def _is_finished(folder: Path) -> bool:
    try:
        checkpoint.finished_run(folder)
    except CheckpointError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
