"""The model card of a fine-tuned model, in the form of Hugging Face's: a YAML head, then Markdown for people."""

import json
from collections.abc import Mapping
from typing import Any

from training import datasets
from training.fine_tuning import report
from training.fine_tuning.run import FineTuned


def render(result: FineTuned, name: str, version: int, fields: Mapping[str, Any]) -> str:
    """The text of MODEL_CARD.md; `fields` are the manifest's."""
    own, options = fields["data"]["own"], fields["training"]["options"]
    grouped = f", of {own['groups']} groups, none of them on both sides" if own["groups"] else ""
    return f"""{_head(result, name)}
# {name}, version {version}

`{result.parent.spec}`, fine-tuned on somebody's own pictures of digits: {report.chosen(result)}, of \
{result.options.epochs} on {result.device}.

{_table([report.COLUMNS, *report.rows(result)])}

The own held-out pictures chose the weights, so that the figure on them flatters a little. An error is a digit that is
read as another one, or what is no digit and is read as one. {" ".join(report.remarks(result))}

## Data

- **Own**: {own["pictures"]:,} pictures{grouped}, {own["learnt"]:,} to learn from and {own["held_out"]:,} held out;
  {own["skipped"]:,} more could not be read. By class: {_counts(own["classes"])}. SHA-256 of what the network saw:
  `{own["sha256"]}`. Whoever fine-tuned the model knows where they come from and what they may be used for.
{_rehearsed(result)}

Before that `{result.parent.spec}` was trained on the data that its own card names.

## Recipe

{_table([("option", "value"), *((key, str(value)) for key, value in options.items())])}

The threshold is {fields["threshold"]}: {result.rehearsal.config.accepted:.1%} of all held-out digits, own and old, \
reach it.

## Intended use and limits

It reads one handwritten digit in a picture, as `{result.parent.spec}` does. Nothing was checked but the sets above: on
digits of other origins it may be better or worse than before.
"""


def _head(result: FineTuned, name: str) -> str:
    """The YAML between two lines of ---; JSON's strings and numbers are YAML's too."""
    test_name = result.rehearsal.config.data.test
    title = datasets.describe(test_name).title
    tags = ["image-classification", "lenet-5", "handwritten-digits", "fine-tuned", "onnx", "safetensors"]
    test = next(one for one in result.compared if one.name == test_name)
    lines = [
        "language: en",
        "license: other",
        'license_name: "parents-and-own-data"',
        f"tags: {json.dumps(tags)}",
        'metrics: ["accuracy"]',
        "model-index:",
        f"- name: {json.dumps(name)}",
        "  results:",
        "  - task: {type: image-classification}",
        f"    dataset: {{type: {json.dumps(test_name)}, name: {json.dumps(title)}, split: test}}",
        f"    metrics: [{{type: accuracy, value: {1 - test.after.misses / test.after.count:.6f}}}]",
    ]
    return "\n".join(["---", *lines, "---"])


def _rehearsed(result: FineTuned) -> str:
    return "\n".join(
        f"- **Rehearsed**: {count:,} pictures of {described(name)}" for name, count in result.rehearsal.counts.items()
    )


def described(name: str) -> str:
    """What a set of old pictures is, with its licence; those that a run made itself have none of their own."""
    known = datasets.DATASETS.get(name)
    return f"{known.title}, licence: {known.licence}" if known else f"what the model's own run made as `{name}`"


def _counts(classes: Mapping[str, int]) -> str:
    return ", ".join(f"{name}: {count:,}" for name, count in classes.items())


def _table(rows: list[tuple[str, ...]]) -> str:
    lines = [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join([lines[0], "|" + "---|" * len(rows[0]), *lines[1:]])
