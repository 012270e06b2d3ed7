"""Train the space displacement networks that read whole lines beside the segmentation.

    python -m training.fields.line --data-dir DIR

First the one of lenet5-field-open, from made lines alone. From its weights go on those that learn from cheques: one for
each fold of the cross-validation, that has not seen the fold's amounts, and the one of lenet5-field, that has seen all.
What is there already is left as it is, so that a run that was stopped goes on with the network it was at.
`python -m training.fields.calibrate` puts them into the models' folders.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import cv2
import torch
from safetensors.torch import load_file, save

from app.lenet.atomic_file import write_file
from app.lenet.line_model import LineNetwork
from training.datasets.cheque_amounts import FOLDS
from training.errors import CheckpointError, TrainingError
from training.fields import lines
from training.fields.line_training import Lesson, learn
from training.fields.lines import TextLine
from training.progress import Reporter

OPEN, CHEQUES = "open", "cheques"
"""The names of the networks that are served."""


def of_fold(fold: int) -> str:
    """The name of the network that has not seen a fold's cheques."""
    return f"fold{fold}"


NAMES: Final = (OPEN, *map(of_fold, range(FOLDS)), CHEQUES)

MADE: Final = 60_000  # lines
FROM_MADE: Final = Lesson(epochs=5, learning_rate=3e-3)
BESIDE_CHEQUES: Final = 10_000  # of the made lines
FROM_CHEQUES: Final = Lesson(epochs=3, learning_rate=1e-3)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train what is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--runs", type=Path, default=Path("runs"))
    parser.add_argument("--lines", type=int, default=MADE, help=f"made lines (default: {MADE})")
    parser.add_argument("--only", nargs="*", choices=NAMES, default=NAMES, help="these networks (default: all)")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    say = Reporter()
    missing = [name for name in NAMES if name in options.only and not path_of(options.runs, name).exists()]
    if not missing:
        return 0
    try:
        made = list(say.track(lines.made(options.lines, options.data_dir), "lines", options.lines))
        if OPEN in missing:
            torch.manual_seed(FROM_MADE.seed)
            say.line(f"{OPEN}: {len(made)} lines")
            _keep(learn(LineNetwork(), made, FROM_MADE, say), path_of(options.runs, OPEN))
        cheques = list(lines.cheques(options.data_dir))
        for name in missing:
            if name != OPEN:
                seen = [one for one in cheques if of_fold(one.fold) != name]
                _from_cheques(name, [*made[:BESIDE_CHEQUES], *seen], options.runs, say)
    except TrainingError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    return 0


def path_of(runs: Path, name: str) -> Path:
    """Where a network's weights lie."""
    return runs / "lines" / f"{name}.safetensors"


def load(runs: Path, name: str) -> LineNetwork:
    """A trained network, in evaluation mode.

    Raises:
        CheckpointError: it is not there.
    """
    path = path_of(runs, name)
    if not path.exists():
        raise CheckpointError(f"{path} is not there: train it with python -m training.fields.line.")
    model = LineNetwork()
    model.load_state_dict(load_file(path))
    return model.eval()


def _from_cheques(name: str, seen: Sequence[TextLine], runs: Path, say: Reporter) -> None:
    say.line(f"{name}: {len(seen)} lines")
    _keep(learn(load(runs, OPEN), seen, FROM_CHEQUES, say), path_of(runs, name))


def _keep(model: LineNetwork, path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_file(path, save(model.state_dict()))


if __name__ == "__main__":
    sys.exit(main())
