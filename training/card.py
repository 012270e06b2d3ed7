"""The model card, in the form of Hugging Face's: a YAML head for programs, then Markdown for people."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training import datasets
from training.config import to_toml
from training.datasets import Dataset
from training.run import RunResult

HUB_NAMES = {"mnist-train": "ylecun/mnist", "mnist-test": "ylecun/mnist"}
"""What the Hugging Face Hub calls the sets that it has."""


@dataclass(frozen=True)
class SeedFigure:
    """The test result of one seed of the same config."""

    seed: int
    error_percent: float
    misses: int


def render(
    result: RunResult, version: int, parameters: int, seeds: list[SeedFigure], versions: Mapping[str, str]
) -> str:
    """The text of MODEL_CARD.md.

    `parameters` is the number of trained ones, `seeds` the figures of every seed that was run, this one's among them.
    """
    config, test, held_out = result.config, result.test, result.held_out
    train, test_set = datasets.describe(config.data.train), datasets.describe(config.data.test)
    shape = config.architecture
    return f"""{_head(result)}
# {config.model}, version {version}

LeNet-5 (LeCun, Bottou, Bengio and Haffner 1998) with {parameters:,} trained parameters: C3 {shape.c3}, output \
{shape.output}, {shape.activation}, {shape.subsampling} subsampling{", squashed" if shape.squash_subsampling else ""}. \
It reads one handwritten digit in a 1x32x32 picture, ink 0..1 on background 0, made by `app.imaging.normalize`.

| | |
|---|---|
| test error | **{test.error_percent:.2f} %** ({test.misses} of {test.count:,} digits of {test_set.title} misread) |
| negative log-likelihood, Brier score, ECE (15 bins) | {test.nll:.4f} nats, {test.brier:.4f}, {test.ece:.4f} |
| held-out error | {held_out.error_percent:.2f} % ({held_out.misses} of {held_out.count:,}), \
by the same recipe without the held-out digits |
| threshold | {held_out.threshold}: {config.accepted:.1%} of the held-out digits reach it |
| seed, time, device | {config.seed}, {result.seconds:.0f} s of training, {result.device} |
| versions | {", ".join(f"{name} {number}" for name, number in versions.items())} |

{_seeds_text(seeds, config.seed)}The figures are reproduced by \
`python -m training evaluate {config.model}:{version} --check`.

## Trained on

{_data_row(train, result.learnt)}

{_validation_text(result)}

## Measured on

{_data_row(test_set, test.count)}

Nothing in the run is chosen by it: the last epoch is taken, and the threshold is the held-out digits'.

## Limits

It was taught digits alone: whatever it is shown, it reads as one of ten, and its confidence on other marks means
nothing. Its confidence is the largest softmax, not calibrated. The writers of MNIST are US census employees and
high-school students of the 1980s; a continental European 1 or 7 is rare among them.

## Figures

![Confusion matrix](confusion.png)
![Learning curve](learning_curve.png)
![Every misread test digit](misread.png)
![Reliability diagram](reliability.png)
![Reject curve](reject_curve.png)

| refused, least sure first | error of what is left |
|---|---|
{_reject_rows(result)}

## Config

Also in `config.toml`; `log.jsonl` has one line an epoch.

```toml
{to_toml(config).strip()}
```
"""


def _head(result: RunResult) -> str:
    """The YAML between two lines of ---; JSON's strings and numbers are YAML's too."""
    config, test = result.config, result.test
    sets = sorted({HUB_NAMES.get(name, name) for name in (config.data.train, config.data.test)})
    test_set = datasets.describe(config.data.test)
    lines = [
        "language: en",
        "license: apache-2.0",
        f"tags: {json.dumps(['image-classification', 'lenet-5', 'handwritten-digits', 'onnx', 'safetensors'])}",
        f"datasets: {json.dumps(sets)}",
        'metrics: ["accuracy"]',
        "model-index:",
        f"- name: {json.dumps(config.model)}",
        "  results:",
        "  - task: {type: image-classification}",
        f"    dataset: {{type: {json.dumps(HUB_NAMES.get(test_set.name, test_set.name))}, "
        f"name: {json.dumps(test_set.title)}, split: test}}",
        f"    metrics: [{{type: accuracy, value: {1 - test.misses / test.count:.6f}}}]",
    ]
    return "\n".join(["---", *lines, "---"])


def _data_row(dataset: Dataset, count: int) -> str:
    sums = "\n".join(f"  - {name}: SHA-256 `{digest}`" for name, digest in dataset.checksums.items())
    return (
        f"- **{dataset.title}** (`{dataset.name}`): {count:,} of {dataset.count:,} digits, {dataset.url}, "
        f"licence: {dataset.licence}\n{sums}"
    )


def _validation_text(result: RunResult) -> str:
    data = result.config.data
    how = f"the last {data.validation_digits:,}" if data.validation == "last" else "those of writers of their own"
    refit = (
        f"Then the recipe was fixed, and the model of this folder learnt anew from all {result.learnt:,}."
        if result.config.recipe.refit
        else "The model of this folder has not seen them."
    )
    return f"Held out to measure the recipe and to choose the threshold: {how} of these digits. {refit}"


def _seeds_text(seeds: list[SeedFigure], own: int) -> str:
    if len(seeds) < 2:
        return ""
    each = ", ".join(f"seed {one.seed}: {one.error_percent:.2f} % ({one.misses})" for one in seeds)
    mean = sum(one.error_percent for one in seeds) / len(seeds)
    return (
        f"Test error of the same config with {len(seeds)} seeds: {each}; mean {mean:.2f} %. "
        f"This model is seed {own}.\n\n"
    )


def _reject_rows(result: RunResult) -> str:
    return "\n".join(f"| {share:.1%} | {error:.2f} % |" for share, error in result.test.rejects)


def summary(result: RunResult, versions: Mapping[str, Any]) -> str:
    """A run's last line."""
    test = result.test
    return (
        f"test error {test.error_percent:.2f} % ({test.misses} of {test.count} misread), trained in "
        f"{result.seconds:.0f} s on {result.device}, "
        + ", ".join(f"{name} {number}" for name, number in versions.items())
    )
