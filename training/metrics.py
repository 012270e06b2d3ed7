"""How good a model is: figures from its probabilities and the true labels. Pure functions on arrays.

`probabilities` is float (n, classes), rows sum to 1; `labels` is int (n,). Confidence is the largest probability.
"""

import math
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.floating[Any]]
Labels = npt.NDArray[np.int64]

ECE_BINS = 15
REJECT_RATES = (0.0, 0.005, 0.01, 0.015, 0.02, 0.03, 0.05, 0.1)
SMALLEST = float(np.finfo(np.float32).tiny)  # keeps the logarithm of a probability of 0 finite


@dataclass(frozen=True)
class Metrics:
    """The figures of one model on one set of digits."""

    count: int  # digits
    misses: int  # digits read as another
    error_percent: float
    nll: float  # nats: mean of -log(probability of the truth)
    brier: float  # 0..2: mean of the squared distance to the one-hot truth (Brier 1950)
    ece: float  # 0..1: expected calibration error in 15 bins of equal width (Guo et al. 2017, eq. 3)
    confusion: tuple[tuple[int, ...], ...]  # [truth][read]
    rejects: tuple[tuple[float, float], ...]  # (share refused, error in percent of what is left), least sure first

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        values = asdict(self)
        return values | {
            "confusion": [list(row) for row in self.confusion],
            "rejects": [{"rejected": share, "error_percent": error} for share, error in self.rejects],
        }


def softmax(logits: Floats) -> npt.NDArray[np.float64]:
    """Probabilities, float64 (n, classes), from logits of the same shape."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def measure(probabilities: Floats, labels: Labels) -> Metrics:
    """Every figure at once. Raises ValueError when there is no digit."""
    if len(labels) == 0:
        raise ValueError("there is nothing to measure")
    misses = int((probabilities.argmax(axis=1) != labels).sum())
    return Metrics(
        count=len(labels),
        misses=misses,
        error_percent=100 * misses / len(labels),
        nll=nll(probabilities, labels),
        brier=brier(probabilities, labels),
        ece=ece(probabilities, labels),
        confusion=tuple(tuple(row) for row in confusion(probabilities, labels).tolist()),
        rejects=tuple((rate, float(reject_curve(probabilities, labels, rate))) for rate in REJECT_RATES),
    )


def nll(probabilities: Floats, labels: Labels) -> float:
    """Mean negative log-likelihood of the truth, in nats."""
    truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(truth, SMALLEST)).mean())


def brier(probabilities: Floats, labels: Labels) -> float:
    """Mean over the digits of the sum over the classes of (probability - truth)^2."""
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1).mean())


def reliability(probabilities: Floats, labels: Labels, bins: int = ECE_BINS) -> npt.NDArray[np.float64]:
    """For each bin of confidence (i / bins, (i + 1) / bins]: digits, mean confidence, share read right; (bins, 3).

    An empty bin is 0, 0, 0.
    """
    confidence = probabilities.max(axis=1)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(confidence * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    divisor = np.maximum(count, 1)
    return np.stack(
        [
            count,
            np.bincount(bin_of, confidence, minlength=bins) / divisor,
            np.bincount(bin_of, right, minlength=bins) / divisor,
        ],
        axis=1,
    )


def ece(probabilities: Floats, labels: Labels, bins: int = ECE_BINS) -> float:
    """The gap between confidence and share read right, averaged over the bins by their digits."""
    table = reliability(probabilities, labels, bins)
    return float((table[:, 0] * np.abs(table[:, 1] - table[:, 2])).sum() / len(labels))


def confusion(probabilities: Floats, labels: Labels) -> npt.NDArray[np.int64]:
    """How often each digit (row) was read as each (column): (classes, classes)."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def reject_curve(probabilities: Floats, labels: Labels, rate: float) -> float:
    """Error in percent of the digits left when the share `rate` with the least confidence is refused; 0 when none is.

    Of equally sure digits the later ones are refused first.
    """
    wrong = probabilities.argmax(axis=1) != labels
    surest_first = np.argsort(-probabilities.max(axis=1), kind="stable")
    kept = len(labels) - math.floor(rate * len(labels))
    return float(100 * wrong[surest_first[:kept]].mean()) if kept else 0.0


def threshold_for(probabilities: Floats, accepted: float) -> float:
    """The largest confidence that at least the share `accepted` of the digits reaches, rounded down to 4 places."""
    confidence = np.sort(probabilities.max(axis=1))
    refused = math.floor((1 - accepted) * len(confidence) + 1e-9)  # 0.01 * 1000 must not become 9.999
    return math.floor(float(confidence[min(refused, len(confidence) - 1)]) * 10_000) / 10_000
