"""How often a model is wrong on one set, before and after; for models with an output for what is no digit, too."""

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from training.datasets import RUBBISH
from training.metrics import SMALLEST, softmax

Logits = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Figures:
    """One model on one set."""

    count: int  # pictures
    misses: int  # digits read as another digit, and what is no digit read as one
    nll: float  # nats: mean of -log(probability of the truth), over all outputs

    @property
    def error_percent(self) -> float:
        """Of the pictures."""
        return 100 * self.misses / self.count

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return asdict(self) | {"error_percent": self.error_percent}

    def __add__(self, other: "Figures") -> "Figures":
        """On both sets together."""
        count = self.count + other.count
        return Figures(count, self.misses + other.misses, (self.nll * self.count + other.nll * other.count) / count)


def figures(logits: Logits, labels: Labels) -> Figures:
    """Of logits (n, 10 or 11) and labels (n,), 0..9 or RUBBISH.

    The digit that is read is the likeliest of the ten, as `/predict` answers it, whatever the eleventh output says.
    """
    digit = labels != RUBBISH
    read = np.where(digit, logits[:, :RUBBISH].argmax(axis=1), logits.argmax(axis=1))
    truth = softmax(logits)[np.arange(len(labels)), labels]
    return Figures(len(labels), int((read != labels).sum()), float(-np.log(np.maximum(truth, SMALLEST)).mean()))


@dataclass(frozen=True)
class Compared:
    """One set before and after."""

    name: str
    before: Figures
    after: Figures

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        return {"name": self.name, "before": self.before.to_dict(), "after": self.after.to_dict()}
