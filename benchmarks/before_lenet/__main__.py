"""Draw every picture of docs/before_lenet.md, and put the kept figures into its tables.

    python -m benchmarks.before_lenet

Needs the results of `benchmarks.classical`, `.ablations`, `.shifts` and `.gradients`, which lie beside the pictures.
"""

import argparse
import sys
from pathlib import Path

from app.imaging import normalize
from app.lenet import model as lenet
from app.lenet.registry import Registry, default_model_dir
from benchmarks import ablations, gradients, shifts
from benchmarks.before_lenet import handmade, learnt, plots
from benchmarks.classical import report as classical
from benchmarks.comparison import RESULTS, filled, read
from training import datasets

PAGE = RESULTS.with_suffix(".md")
SEVEN = 15  # the digit of MNIST's training part that the page follows
TABLES = {
    "classical": classical.markdown,
    "ablations": ablations.markdown,
    "shifts": shifts.markdown,
    "gradients": gradients.markdown,
}


def pictures(folder: Path, spec: str) -> dict[str, bytes]:
    """File name -> PNG, from the results in `folder` and a model of the default model folder."""
    model = lenet.load(Registry.open(default_model_dir(), {}).resolve(spec, "digit").folder)
    seven = normalize(datasets.load("mnist-train").pictures[SEVEN]).input[0]
    return {
        "handmade.png": handmade.handmade(seven),
        "kernels.png": learnt.kernels(model, seven),
        "maps.png": learnt.maps(model, seven),
        "activations.png": learnt.activations(),
        "subsampling.png": learnt.subsampling(model),
        "classical.png": plots.classical(read(folder, "classical")),
        "ablations.png": plots.ablations(read(folder, "ablations")),
        "shifts.png": plots.shifts(read(folder, "shifts")),
        "gradients.png": plots.gradients(read(folder, "gradients")),
    }


def with_tables(page: str, folder: Path) -> str:
    """The page with each table, between <!-- NAME --> and <!-- /NAME -->, as the results in `folder` say it."""
    for name, markdown in TABLES.items():
        page = filled(page, name, markdown(read(folder, name)))
    return page


def main() -> int:
    """Write the pictures, then the page."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", default="lenet5", help="NAME or NAME:VERSION, whose kernels and maps are drawn")
    arguments = parser.parse_args()
    for name, content in pictures(RESULTS, arguments.model).items():
        (RESULTS / name).write_bytes(content)
        print(f"{name:20} {len(content) / 1e3:6.0f} kB")
    PAGE.write_text(with_tables(PAGE.read_text(), RESULTS))
    return 0


if __name__ == "__main__":
    sys.exit(main())
