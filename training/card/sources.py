"""Which data a model was made from and measured on, with licences: for the manifest, and in words."""

from collections.abc import Mapping, Sequence
from typing import Any

from training import datasets
from training.config import Config
from training.datasets import cheque_amounts
from training.report import Report, Role

HUB_NAMES = {"mnist-train": "ylecun/mnist", "mnist-test": "ylecun/mnist"}
"""What the Hugging Face Hub calls the sets that it has."""

DERIVED = "as its digits: {licence}"
FREE = "the project's own, from fonts that come with matplotlib"

MADE: Mapping[str, tuple[str, str]] = {
    "continental": (
        "ones and sevens of `{train}` with a flag, a foot or a bar that the program drew in, as European writers do",
        DERIVED,
    ),
    "printed": ("digits of fonts (DejaVu, STIX, Computer Modern), turned a little", FREE),
    "rerendered": (
        "digits of `{train}` drawn anew as gray pictures of other sizes, papers, pens and light, and then normalised "
        "as the service does it",
        DERIVED,
    ),
    "fields": (
        "candidates of the segmentation of strings that the program made from digits of one writer of `{train}` each: "
        "whole digits as they are cut out, and parts, pairs and marks as no digit",
        DERIVED,
    ),
    "cuts": ("candidates that are no digit, of strings made in the same way", DERIVED),
    "cheques": (
        f"candidates of the segmentation of {cheque_amounts.TITLE}, {cheque_amounts.URL}, each picture in several "
        "variants: whole digits as they are cut out, and parts, pairs and marks as no digit",
        cheque_amounts.LICENCE,
    ),
    "lines": (
        "strings that the program made from digits of one writer of `{train}`, or of usps or optdigits, each, and rows "
        "of no digit: whole lines, for the network that reads lines",
        f"{DERIVED}; of usps and optdigits as theirs",
    ),
    "amounts": (
        f"pictures of {cheque_amounts.TITLE}, {cheque_amounts.URL}, each in several variants: whole lines, for the "
        "network that reads lines",
        cheque_amounts.LICENCE,
    ),
    "made": (
        "pictures of no digit: digits of `{train}` cut in two, pairs of them touching, and scribbles, crosses, "
        "letters, filled shapes and textures that the program drew",
        f"{FREE}; pieces of digits {DERIVED}",
    ),
}
"""What a run makes itself, and the licence of that."""

ROLES: Mapping[Role, str] = {
    "test": "test set: neither learnt from nor chosen by",
    "new": "never learnt from",
    "partly learnt": "**no test**: nine of ten pictures were learnt from, every tenth calibrated",
    "learnt": "**no test**: learnt from",
}


def trained_on(counts: Mapping[str, int], train: str) -> list[dict[str, Any]]:
    """As the manifest holds it; `counts` are the examples that were learnt from, by set."""
    return [_made(name, count, train) if name in MADE else _known(name, count) for name, count in counts.items()]


def learnt_by(config: Config) -> list[str]:
    """The names of what a run of `config` learns from."""
    made = {
        "continental": config.data.continental,
        "printed": config.data.printed,
        "rerendered": config.data.rerendered,
        "fields": config.data.fields,
        "cheques": config.data.cheques,
        "made": config.rubbish.pictures,
    }
    marks = [config.rubbish.marks] if config.rubbish.marks else []
    return [config.data.train, *config.data.also, *marks, *(name for name, count in made.items() if count)]


def measured_on(report: Report) -> list[dict[str, Any]]:
    """As the manifest holds it."""
    counts = {name: one.metrics.count for name, one in report.digits.items()}
    counts |= {name: one.count for name, one in report.others.items()}
    return [_known(name, count) for name, count in counts.items()]


def _made(name: str, count: int, train: str) -> dict[str, Any]:
    words, licence = MADE[name]
    return {
        "name": name,
        "count": count,
        "is": words.format(train=train),
        "licence": licence.format(licence=datasets.describe(train).licence),
    }


def _known(name: str, count: int) -> dict[str, Any]:
    known = datasets.describe(name)
    return {
        "name": name,
        "count": count,
        "title": known.title,
        "url": known.url,
        "licence": known.licence,
        "sha256": known.checksums,
    }


def in_words(sets: Sequence[Mapping[str, Any]]) -> str:
    """One item a set."""
    return "\n".join(_item(one) for one in sets)


def _item(one: Mapping[str, Any]) -> str:
    if "is" in one:
        return f"- `{one['name']}`: {one['count']:,} {one['is']}; licence: {one['licence']}"
    whole = datasets.describe(one["name"]).count
    count = f"all {whole:,}" if one["count"] == whole else f"{one['count']:,} of {whole:,}"
    sums = "".join(f"\n  - {name}: SHA-256 `{digest}`" for name, digest in one["sha256"].items())
    return f"- **{one['title']}** (`{one['name']}`): {count}, {one['url']}, licence: {one['licence']}{sums}"


def hub_names(sets: Sequence[Mapping[str, Any]]) -> list[str]:
    """What the sets that somebody published are called."""
    return sorted({HUB_NAMES.get(one["name"], one["name"]) for one in sets if "is" not in one})
