"""The goals that the shipped models are held against, with what was measured, as a table in Markdown.

    python -m benchmarks.goals --data-dir DIR

Everything but the means over seeds is measured anew; those are the ones that a model's manifest keeps of the runs of
its config. A model or a set that is not here leaves its place empty.
"""

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.lenet import model as lenet
from app.lenet.registry import Registry, ServedModel, default_model_dir
from benchmarks.comparison import table
from training import config as configs
from training.augment import Distortions
from training.config import Config
from training.progress import Reporter
from training.report import Report, report


@dataclass(frozen=True)
class Goal:
    """A figure, how low or high it has to be, and how it is had again."""

    measure: str
    floor: str
    goal: str
    measured: str
    command: str


@dataclass(frozen=True)
class Measured:
    """A served model, what it learnt from, and its report."""

    served: ServedModel
    config: Config
    report: Report

    @property
    def again(self) -> str:
        """The command that measures it anew."""
        return f"`python -m training report {self.served.spec} --data-dir DIR`"


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--model-dir", type=Path, default=None, help="default: the one that comes with the project")
    parser.add_argument("--model", default="lenet5", help="what is served by default: NAME or NAME:VERSION")
    options = parser.parse_args(arguments)
    registry = Registry.open(options.model_dir or default_model_dir(), {})
    say = Reporter()

    def measure(served: ServedModel | None) -> Measured | None:
        if served is None:
            return None
        config, manifest = _config(served), served.manifest
        found = report(
            lenet.load(served.folder),
            manifest.reading,
            manifest.threshold,
            config,
            data_dir=options.data_dir,
            reporter=say,
        )
        return Measured(served, config, found)

    known = [model for model in registry.served if model.task == "digit"]
    paper = [model for model in known if model.name == "lenet5-1998"]
    alone = [model for model in known if model not in paper and not _config(model).data.also]
    rows = [
        *_paper("without distortions", "0.95 %", "0.85 %", _last(paper, lambda c: c.distortions == Distortions())),
        *_paper("with distortions", "0.80 %", "0.65 %", _last(paper, lambda c: c.distortions != Distortions())),
        *_served(measure(registry.resolve(options.model, "digit"))),
        *_alone(measure(_last(alone, lambda _: True))),
    ]
    cells = [(row.measure, row.command, row.floor, row.goal, row.measured) for row in rows]
    sys.stdout.write(table(("measure", "command", "floor", "goal", "measured"), cells, words=2))
    return 0


def _config(served: ServedModel) -> Config:
    return configs.parse(served.manifest.training["config"])


def _last(models: Iterable[ServedModel], wanted: Callable[[Config], bool]) -> ServedModel | None:
    """The one that was made last."""
    return max((m for m in models if wanted(_config(m))), key=lambda model: model.manifest.created, default=None)


def _paper(how: str, floor: str, goal: str, served: ServedModel | None) -> list[Goal]:
    if served is None:
        return [Goal(f"lenet5-1998, MNIST test error, {how}", floor, goal, "", "")]
    return [Goal(f"{served.spec}, MNIST test error, {how}", floor, goal, _seeds(served), _train(served))]


def _served(one: Measured | None) -> list[Goal]:
    if one is None:
        return []
    name, again, found = one.served.spec, one.again, one.report
    test = found.digits[found.test].metrics
    optdigits = found.digits.get("optdigits")
    letters = found.others.get("letters")
    to_refuse = " / ".join(f"{100 * share:.2f} %" for _, share in test.refused_for)
    over_plain = [test.brier_over_plain, test.nll_over_plain]
    hostile = ", ".join(f"{kind} {100 * other.accepted_keeping:.1f} %" for kind, other in found.hostile.items())
    return [
        Goal(f"{name}, MNIST test error", "0.50 %", "0.35 %", _seeds(one.served), _train(one.served)),
        Goal(f"{name}, MNIST test to refuse for 0.5 / 0.1 %", "0.4 / 3 %", "none / 1.5 %", to_refuse, again),
        Goal(f"{name}, optdigits error", "4 %", "2 %", _error(optdigits), again),
        Goal(
            f"{name}, expected calibration error, MNIST / optdigits",
            "0.005 / 0.03",
            "0.003 / 0.015",
            f"{test.ece:.4f} / {'' if optdigits is None else f'{optdigits.metrics.ece:.4f}'}",
            again,
        ),
        Goal(
            f"{name}, Brier / NLL over plain temperature scaling; confidence of the misread",
            "1; 0.80",
            "0.95; 0.65",
            f"{' / '.join('' if one is None else f'{one:.3f}' for one in over_plain)}; {test.misread_confidence:.3f}",
            again,
        ),
        Goal(
            f"{name}, AUROC of MNIST test against letters that were never learnt",
            "0.95",
            "0.985",
            "" if letters is None else f"{letters.confidence_auroc:.4f}",
            again,
        ),
        Goal(f"{name}, accepted where 98 % of MNIST test are", "2 %", "0 %", hostile, again),
    ]


def _alone(one: Measured | None) -> list[Goal]:
    name = "a lenet5" if one is None else one.served.spec
    measured = "" if one is None else _error(one.report.digits.get("usps"))
    return [Goal(f"{name}, of MNIST alone, USPS error", "1.2 %", "0.7 %", measured, "" if one is None else one.again)]


def _error(one: Any) -> str:
    return "" if one is None else f"{one.metrics.error_percent:.2f} % ({one.metrics.misses} of {one.metrics.count:,})"


def _seeds(served: ServedModel) -> str:
    known = served.manifest.metrics["seeds"]
    each = ", ".join(f"{seed['error_percent']:.2f}" for seed in known)
    mean = sum(seed["error_percent"] for seed in known) / len(known)
    return f"{mean:.2f} %, the mean of {len(known)} ({each})" if len(known) > 1 else f"{mean:.2f} %, one seed"


def _train(served: ServedModel) -> str:
    return f"`python -m training train training/configs/{_config(served).name}.toml --seed N --data-dir DIR`"


if __name__ == "__main__":
    sys.exit(main())
