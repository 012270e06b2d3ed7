"""The epochs of a fine-tuning, and the choice among them."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from torch import Tensor

from training.fine_tuning.figures import Figures, figures
from training.inputs import Examples
from training.progress import Reporter
from training.trainer import Trainer, logits_of


@dataclass(frozen=True)
class Epoch:
    """One epoch of the log; epoch 0 is the model as it was."""

    epoch: int
    loss: float | None  # nats
    own: Figures  # on the own pictures that are held out
    old: Figures  # on all old held-out pictures together

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self)


@dataclass(frozen=True)
class Choice:
    """The epoch whose weights are taken."""

    epoch: Epoch
    refusal: str | None  # why the model after it should not be served


def teach(
    trainer: Trainer, own: Examples, old: Examples, reporter: Reporter
) -> tuple[list[Epoch], list[dict[str, Tensor]]]:
    """Run all epochs; the log and the weights of each, with what was before the first as number 0."""
    log: list[Epoch] = []
    weights: list[dict[str, Tensor]] = []

    def note(loss: float | None) -> None:
        log.append(Epoch(trainer.epoch, loss, _measured(trainer, own), _measured(trainer, old)))
        weights.append({name: value.detach().clone() for name, value in trainer.model.state_dict().items()})
        taught = "        before" if loss is None else f"  loss {loss:.4f}"
        reporter.line(
            f"epoch {trainer.epoch:2}/{trainer.recipe.epochs}{taught}  own held out {log[-1].own.error_percent:5.2f} %"
            f"  old held out {log[-1].old.error_percent:5.2f} %"
        )

    note(None)
    while trainer.epoch < trainer.recipe.epochs:
        note(trainer.run_epoch(reporter).loss)
    return log, weights


def _measured(trainer: Trainer, examples: Examples) -> Figures:
    return figures(logits_of(trainer.model, examples).numpy(), examples.labels.cpu().numpy())


def choose(log: Sequence[Epoch], max_forgetting: float) -> Choice:
    """The epoch with the fewest own held-out pictures misread, of as many the one with the likelier truth.

    Only epochs count after which the error on the old held-out pictures is at most `max_forgetting` percentage points
    above what it was. Where there is none, or none reads the own pictures better than the model did, it says so.
    """
    before, epochs = log[0], log[1:]
    most = before.old.error_percent + max_forgetting + 1e-9  # 0.3 + 0.1 is not quite 0.4
    kept = [epoch for epoch in epochs if epoch.old.error_percent <= most]
    best = min(kept or epochs, key=_rank)
    if not kept:
        least = min(epoch.old.error_percent for epoch in epochs)
        return Choice(
            best,
            f"it forgets: the error on the old held-out pictures was {before.old.error_percent:.2f} % and is "
            f"{least:.2f} % or more after every epoch, a rise of more than {max_forgetting} points",
        )
    if _rank(best) >= _rank(before):
        return Choice(
            best,
            f"it gains nothing: of the own held-out pictures {before.own.misses} of {before.own.count} were misread, "
            f"and no epoch that keeps the old ones does better",
        )
    return Choice(best, None)


def _rank(epoch: Epoch) -> tuple[int, float]:
    return epoch.own.misses, epoch.own.nll
