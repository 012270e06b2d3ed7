"""Every figure of reading whole fields, as a table in Markdown, with its pictures.

    python -m benchmarks.fields --data-dir DIR

Cheques are read by the networks and calibrations of a cross-validation (python -m training.fields.line, then calibrate
--cheques), each amount by those that have not learnt from it, and by the model that has seen no cheque. Made fields are
of MNIST's held-out writers, or of its test digits with --test. Everything runs in one thread.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import cv2
import torch

from app.lenet.registry import Registry, ServedModel, default_model_dir
from benchmarks.comparison import table
from benchmarks.fields import cases, forms, plots
from benchmarks.fields.cases import ZIPS, Case
from benchmarks.fields.figures import accepted, accepted_error, among_best, exact, read_rate
from benchmarks.fields.reading import Answer, FieldReader, served, without
from training.datasets.cheque_amounts import FOLDS, MISLABELLED

Row = tuple[str, str, str, str]


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure, draw, print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data-dir", type=Path, default=os.environ.get("LENET5_DATA_DIR"))
    parser.add_argument("--model-dir", type=Path, default=default_model_dir())
    parser.add_argument("--model", default="lenet5-field")
    parser.add_argument("--open", default="lenet5-field-open", help="the model that has seen no cheque")
    parser.add_argument("--runs", type=Path, default=Path("runs"), help="where the folds' networks lie")
    parser.add_argument("--count", type=int, default=500, help="made fields of each kind")
    parser.add_argument("--seed", type=int, default=cases.SEED, help="of the made fields")
    parser.add_argument("--test", action="store_true", help="made of MNIST's test digits, for final figures")
    parser.add_argument("--output", type=Path, default=Path("runs/fields"), help="for the pictures")
    options = parser.parse_args(arguments)
    cv2.setNumThreads(1)
    torch.set_num_threads(1)
    options.output.mkdir(parents=True, exist_ok=True)
    registry = Registry.open(options.model_dir, {})
    model = registry.resolve(options.model, "field")
    reader = served(model)
    rows = [
        *_cheques(model, served(registry.resolve(options.open, "field")), options),
        *_made(reader, options),
        *_nothing(reader, options),
    ]
    sys.stdout.write(table(("measure", "floor", "goal", "measured"), rows, words=1))
    return 0


def _cheques(model: ServedModel, open_reader: FieldReader, options: argparse.Namespace) -> list[Row]:
    of = cases.cheques(options.data_dir)
    crossed: list[Answer] = []
    for fold in range(FOLDS):
        crossed += without(fold, model, options.runs).read_all(case for case in of if case.fold == fold)
    opened = open_reader.read_all(of)
    righted = [answer.against(MISLABELLED.get(answer.case.name, answer.case.truth)) for answer in crossed]
    plots.rejects({"cross-validation": crossed, open_reader.name: opened}, options.output / "cheques-reject.png")
    plots.reliability(
        {"cross-validation": crossed, open_reader.name: opened}, options.output / "cheques-reliability.png"
    )
    plots.sheet(crossed, options.output / "cheques-misread.png")
    plots.sheet(opened, options.output / "cheques-misread-open.png")
    return [
        ("cheque amounts, exact, by cross-validation", "82 %", "93 %", _percent(exact(crossed))),
        ("cheque amounts, exact, without having seen one", "55 %", "75 %", _percent(exact(opened))),
        ("cheque amounts, read rate at 1 % misread", "45 %", "70 %", f"{_rate(crossed)}; open {_rate(opened)}"),
        (
            f"the same with {len(MISLABELLED)} labels put right: exact; read rate; misread of the accepted",
            "",
            "",
            f"{_percent(exact(righted))}; {_rate(righted)}; {_accepted(righted)}",
        ),
        ("cheque amounts, truth among the 5 best", "exact + 4", "97 %", _percent(among_best(crossed))),
        (
            "cheque amounts, misread of the accepted at target_error 1 %",
            "",
            "",
            f"{_accepted(crossed)}; open {_accepted(opened)}",
        ),
    ]


def _made(reader: FieldReader, options: argparse.Namespace) -> list[Row]:
    kinds = (*ZIPS, "ZIP+4", "amount", "digits")
    sets = {
        kind: reader.read_all(cases.made(kind, options.count, options.data_dir, test=options.test, seed=options.seed))
        for kind in kinds
    }
    plots.rejects(sets, options.output / "made-reject.png")
    plots.reliability(sets, options.output / "made-reliability.png")
    for kind, answers in sets.items():
        plots.sheet(answers, options.output / f"{kind.replace(' ', '-')}-misread.png")
    clean, touching, noisy = (sets[kind] for kind in ZIPS)
    together = [answer for kind in (*ZIPS, "amount") for answer in sets[kind]]
    seconds = sum(answer.seconds for answer in together)
    outside = 1 - sum(answer.network_seconds for answer in together) / seconds
    more = ", ".join(f"{kind} {_percent(exact(sets[kind]))}" for kind in kinds if kind not in ZIPS)
    return [
        ("clean ZIPs, exact", "96 %", "98.5 %", _percent(exact(clean))),
        (
            "touching / noisy ZIPs, exact",
            "70 / 88 %",
            "88 / 95 %",
            f"{_percent(exact(touching))} / {_percent(exact(noisy))}",
        ),
        ("others that are made, exact", "", "", more),
        ("clean ZIPs, read rate at 1 % misread", "85 %", "95 %", _rate(clean)),
        (
            f"misread of the accepted at target_error 1 %, {len(together)} strings",
            "2 %",
            "0.5 to 1.3 %",
            _accepted(together),
        ),
        *_forms(reader, clean),
        (
            "fields/s on one core; share of the time outside the network",
            "40",
            "150",
            f"{len(together) / seconds:.0f}; {_percent(outside)}",
        ),
    ]


def _forms(reader: FieldReader, clean: Sequence[Answer]) -> list[Row]:
    shares = {}
    for name, form in (forms.SAME | forms.ALIKE).items():
        again = [reader.read(_as(answer.case, form(answer.case.picture))) for answer in clean]
        shares[name] = sum(one.text == other.text for one, other in zip(clean, again, strict=True)) / len(clean)
    said = [", ".join(f"{name} {_percent(shares[name])}" for name in some) for some in (forms.SAME, forms.ALIKE)]
    return [
        ("clean ZIPs, the same text in the same pixels", "100 %", "100 %", said[0]),
        ("clean ZIPs, the same text in nearly the same pixels", "97 %", "99.5 %", said[1]),
    ]


def _as(case: Case, data: bytes) -> Case:
    return replace(case, picture=forms.decoded(data))


def _nothing(reader: FieldReader, options: argparse.Namespace) -> list[Row]:
    answers = reader.read_all(cases.none(options.count // 5, options.data_dir))
    groups = sorted({answer.case.group for answer in answers})
    each = ", ".join(f"{group} {_percent(accepted([a for a in answers if a.case.group == group]))}" for group in groups)
    return [("no fields, accepted", "2 %", "0 %", f"{_percent(accepted(answers))}: {each}")]


def _rate(answers: Sequence[Answer]) -> str:
    return _percent(read_rate(answers))


def _accepted(answers: Sequence[Answer]) -> str:
    return f"{_percent(accepted_error(answers))} of the {_percent(accepted(answers))} accepted"


def _percent(share: float) -> str:
    return f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(main())
