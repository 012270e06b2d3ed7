"""The YAML head of a card: what the Hugging Face Hub and its programs read of a model."""

import json
from collections.abc import Sequence

from training import datasets
from training.card.sources import HUB_NAMES
from training.report import Report

TAGS = ("image-classification", "lenet-5", "handwritten-digits", "onnx", "safetensors")

Figure = tuple[str, str, float]
"""The Hub's name of a metric, its name for people, and its value."""


def head(model: str, learnt: Sequence[str], report: Report) -> str:
    """Between two lines of ---; JSON's strings and numbers are YAML's too. `learnt` are names of data sets."""
    lines = [
        "language: en",
        "license: apache-2.0",
        "pipeline_tag: image-classification",
        f"tags: {json.dumps(TAGS)}",
        f"datasets: {json.dumps(learnt)}",
        f"metrics: {json.dumps(['accuracy', 'brier_score', 'roc_auc'])}",
        "model-index:",
        f"- name: {json.dumps(model)}",
        "  results:",
    ]
    for name, figures in by_set(report).items():
        lines += [
            "  - task: {type: image-classification}",
            f"    dataset: {_dataset(name, report)}",
            "    metrics:",
            *(
                f"    - {{type: {kind}, name: {json.dumps(words)}, value: {json.dumps(value)}}}"
                for kind, words, value in figures
            ),
        ]
    return "\n".join(["---", *lines, "---"])


def by_set(report: Report) -> dict[str, list[Figure]]:
    """Every figure, by the name of its set or of its kind of pictures."""
    found: dict[str, list[Figure]] = {}
    for name, one in report.digits.items():
        metrics = one.metrics
        found[name] = [
            ("accuracy", "share read right", 1 - metrics.misses / metrics.count),
            ("nll", "negative log-likelihood (nats)", metrics.nll),
            ("brier_score", "Brier score, 0..2", metrics.brier),
            ("ece", "expected calibration error, 15 bins", metrics.ece),
            ("accepted", "share accepted at the model's threshold", one.accepted),
        ]
    for name, other in {**report.others, **report.hostile}.items():
        found[name] = [
            ("roc_auc", f"by confidence, against the digits of {report.test}", other.confidence_auroc),
            ("accepted", "share accepted at the model's threshold, none being a digit", other.accepted),
        ]
    return found


def _dataset(name: str, report: Report) -> str:
    known = datasets.DATASETS.get(name)
    title = known.title if known else f"made by the program: {name}"
    one = report.digits.get(name) or report.others.get(name) or report.hostile[name]
    if one.role in ("learnt", "partly learnt"):
        title += f" ({one.role})"
    split = ", split: test" if name.endswith("-test") else ""
    return f"{{type: {json.dumps(HUB_NAMES.get(name, name))}, name: {json.dumps(title)}{split}}}"
