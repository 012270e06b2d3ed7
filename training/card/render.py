"""The text of MODEL_CARD.md."""

from collections.abc import Mapping, Sequence
from typing import Any

from training.card import limits, recipe, sources, tables
from training.card.head import head
from training.card.tables import SeedFigure
from training.config import Config
from training.report import KEPT, Report
from training.shipped import Shipped

FIGURES = {
    "sets.png": "Error and acceptance by data set",
    "learning_curve.png": "Learning curve",
    "confusion.png": "Confusion matrix",
    "misread.png": "Every misread test digit",
    "reliability.png": "Reliability diagram",
    "reject_curve.png": "Reject curve",
}
"""The pictures of a card and what is said where they cannot be shown."""


def render(shipped: Shipped, report: Report, data: Mapping[str, Any], seeds: Sequence[SeedFigure]) -> str:
    """The card of a model, from what its folder keeps and what was measured of it; `data` is the manifest's."""
    config, fields = shipped.config, shipped.fields
    training, held_out = fields["training"], fields["metrics"]["held_out"]
    test = report.digits[report.test].metrics
    name = f"{shipped.name}:{shipped.version}"
    parameters = sum(tensor.numel() for tensor in shipped.model.parameters() if tensor.requires_grad)
    made = [
        recipe.learning(config),
        recipe.distortions(config.distortions, config.recipe),
        recipe.distillation(config.distillation, training.get("teachers", ())),
        recipe.validation(config),
        recipe.calibration(config, shipped.calibration),
        recipe.lines(training.get("line")),
    ]
    return f"""{head(shipped.name, sources.hub_names(data["trained_on"]), report)}
# {shipped.name}, version {shipped.version}

{limits.reads(config)} **{test.error_percent:.2f} %** of the {test.count:,} digits of \
{_title(data, report)} are misread ({test.misses}).

{recipe.network(config, shipped.model.architecture, parameters)}

| | |
|---|---|
| held-out error | {held_out["error_percent"]:.2f} % ({held_out["misses"]} of {held_out["count"]:,})\
{", by the same recipe without the held-out digits" if config.recipe.refit else ""} |
| threshold | {shipped.threshold}: {_threshold(config)} |
| seed, time, hardware | {config.seed}, {training["seconds"]:.0f} s of training, {training["device"]} |
| versions | {", ".join(f"{program} {number}" for program, number in fields["versions"].items())} |

## Intended use

{limits.use(config)}

## Figures

All are of the model as the service answers with it\
{", calibration included" if shipped.calibration else ""}. `python -m training evaluate {name} --check --data SET` \
measures a set anew, `python -m training report {name}` all of them.

{tables.roles(report)}

{tables.digits(report)}

The interval is what chance alone leaves open (Wilson 1927), were the set drawn anew from the same writers.

{tables.confidence(report)}

ECE is the expected calibration error in 15 bins of confidence. "Over plain" is over one temperature for all pictures, \
the best for these very digits.

{tables.rejects(report)}

{tables.others(report)}

AUROC is how often a digit of `{report.test}` scores higher. "{100 * KEPT:.0f} % of digits kept" is at the \
confidence {report.keeping_threshold}, which so many of those digits reach. The kinds without a name in code type \
are made by the program, always the same{_alike(config)}.

{_pictures()}
{_seeds(shipped, report, seeds)}
## Training data

{sources.in_words(data["trained_on"])}

## Recipe

{_paragraphs(made)}

## Limits

{limits.limits(config, shipped.calibration, report)}

## Data measured on

{sources.in_words(data["measured_on"])}

No weight, threshold or calibration is chosen by `{report.test}`, nor by any set that was never learnt from.

## Config

Also in `config.toml`; `log.jsonl` has one line an epoch.

```toml
{shipped.files["config.toml"].decode().strip()}
```
"""


def _threshold(config: Config) -> str:
    if config.task == "field":
        return "of made strings whose confidence reaches it, 1 % is misread"
    return f"{100 * config.accepted:g} % of the held-out digits of `{config.data.train}` reach it"


def _title(data: Mapping[str, Any], report: Report) -> str:
    return str(next(one["title"] for one in data["measured_on"] if one["name"] == report.test))


def _alike(config: Config) -> str:
    if not config.rubbish.pictures:
        return ""
    return "; noise and filled shapes, though not these ones, were among what it learnt as no digit"


def _pictures() -> str:
    return "\n".join(f"![{words}]({file})\n" for file, words in FIGURES.items())


def _seeds(shipped: Shipped, report: Report, seeds: Sequence[SeedFigure]) -> str:
    if len(seeds) < 2:
        return ""
    return f"""
## Seeds

The same config with {len(seeds)} seeds:

{tables.seeds(seeds, shipped.config.seed, report.test)}
"""


def _paragraphs(texts: Sequence[str]) -> str:
    return "\n\n".join(text for text in texts if text)
