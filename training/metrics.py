"""How good a model is: figures from its probabilities and the true labels. Pure functions on arrays.

`probabilities` is float (n, classes), rows sum to 1; `labels` is int (n,). `confidence`, float (n,), is how sure the
likeliest class is; without it the largest probability.
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
WANTED_ERRORS_PERCENT = (0.5, 0.1)
LOG_TEMPERATURES = (-5.0, 8.0)  # between which the plain temperature is looked for
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
    refused_for: tuple[tuple[float, float], ...]  # (wanted error in percent, share to refuse for it), least sure first
    misread_confidence: float  # 0..1: mean over the misread digits; 0 when there is none
    nll_over_plain: float | None  # NLL over that of one temperature for all, the best for these very digits ...
    brier_over_plain: float | None  # ... and the Brier score so; None where the logits were not at hand

    def to_dict(self) -> dict[str, Any]:
        """As JSON can hold it."""
        values = asdict(self)
        return values | {
            "confusion": [list(row) for row in self.confusion],
            "rejects": [{"rejected": share, "error_percent": error} for share, error in self.rejects],
            "refused_for": [{"error_percent": error, "rejected": share} for error, share in self.refused_for],
        }


def softmax(logits: Floats) -> npt.NDArray[np.float64]:
    """Probabilities, float64 (n, classes), from logits of the same shape."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    return np.asarray(shifted / shifted.sum(axis=1, keepdims=True))


def measure(
    probabilities: Floats, labels: Labels, *, confidence: Floats | None = None, logits: Floats | None = None
) -> Metrics:
    """Every figure at once; with `logits` (n, classes) also over plain temperature scaling.

    Raises ValueError when there is no digit.
    """
    if len(labels) == 0:
        raise ValueError("there is nothing to measure")
    sure = _sure(probabilities, confidence)
    wrong = probabilities.argmax(axis=1) != labels
    misses = int(wrong.sum())
    own_nll, own_brier = nll(probabilities, labels), brier(probabilities, labels)
    plain = None if logits is None else softmax(logits / temperature(logits, labels))
    return Metrics(
        count=len(labels),
        misses=misses,
        error_percent=100 * misses / len(labels),
        nll=own_nll,
        brier=own_brier,
        ece=ece(probabilities, labels, confidence=sure),
        confusion=tuple(tuple(row) for row in confusion(probabilities, labels).tolist()),
        rejects=tuple((rate, reject_curve(probabilities, labels, rate, confidence=sure)) for rate in REJECT_RATES),
        refused_for=tuple(
            (error, share_to_refuse(probabilities, labels, error, confidence=sure)) for error in WANTED_ERRORS_PERCENT
        ),
        misread_confidence=float(sure[wrong].mean()) if misses else 0.0,
        nll_over_plain=None if plain is None else own_nll / nll(plain, labels),
        brier_over_plain=None if plain is None else own_brier / brier(plain, labels),
    )


def nll(probabilities: Floats, labels: Labels) -> float:
    """Mean negative log-likelihood of the truth, in nats."""
    truth = probabilities[np.arange(len(labels)), labels]
    return float(-np.log(np.maximum(truth, SMALLEST)).mean())


def brier(probabilities: Floats, labels: Labels) -> float:
    """Mean over the digits of the sum over the classes of (probability - truth)^2."""
    return float(((probabilities - np.eye(probabilities.shape[1])[labels]) ** 2).sum(axis=1).mean())


def temperature(logits: Floats, labels: Labels) -> float:
    """The temperature whose softmax(logits / T) has the least NLL (Guo et al. 2017), by golden-section search.

    The NLL is convex in 1 / T, so that it has one valley in log T too.
    """

    def cost(log_temperature: float) -> float:
        return nll(softmax(logits / math.exp(log_temperature)), labels)

    shrink = (math.sqrt(5) - 1) / 2
    low, high = LOG_TEMPERATURES
    left, right = high - shrink * (high - low), low + shrink * (high - low)
    at_left, at_right = cost(left), cost(right)
    while high - low > 1e-4:
        if at_left < at_right:
            high, right, at_right = right, left, at_left
            left = high - shrink * (high - low)
            at_left = cost(left)
        else:
            low, left, at_left = left, right, at_right
            right = low + shrink * (high - low)
            at_right = cost(right)
    return math.exp((low + high) / 2)


def auroc(digits: Floats, others: Floats) -> float:
    """How often a digit has a higher score than something else, equal ones counted half: 0..1.

    `digits` (n,) and `others` (m,) are scores; this is the area under the ROC curve (Hanley and McNeil 1982).
    """
    ordered = np.sort(others)
    under = np.searchsorted(ordered, digits, side="left")
    not_over = np.searchsorted(ordered, digits, side="right")
    return float((under + not_over).mean() / (2 * len(others)))


def wilson(events: int, count: int, z: float = 1.96) -> tuple[float, float]:
    """The interval, 95 % for this z, in which the true share lies when `events` of `count` were found (Wilson 1927)."""
    share, spread = events / count, z * z / count
    middle = (share + spread / 2) / (1 + spread)
    reach = z / (1 + spread) * math.sqrt(share * (1 - share) / count + spread / (4 * count))
    return max(0.0, middle - reach), min(1.0, middle + reach)


def _sure(probabilities: Floats, confidence: Floats | None) -> Floats:
    return probabilities.max(axis=1) if confidence is None else confidence


def reliability(
    probabilities: Floats, labels: Labels, bins: int = ECE_BINS, *, confidence: Floats | None = None
) -> npt.NDArray[np.float64]:
    """For each bin of confidence (i / bins, (i + 1) / bins]: digits, mean confidence, share read right; (bins, 3).

    An empty bin is 0, 0, 0.
    """
    sure = _sure(probabilities, confidence)
    right = probabilities.argmax(axis=1) == labels
    bin_of = np.clip(np.ceil(sure * bins).astype(int) - 1, 0, bins - 1)
    count = np.bincount(bin_of, minlength=bins)
    divisor = np.maximum(count, 1)
    return np.stack(
        [
            count,
            np.bincount(bin_of, sure, minlength=bins) / divisor,
            np.bincount(bin_of, right, minlength=bins) / divisor,
        ],
        axis=1,
    )


def ece(probabilities: Floats, labels: Labels, bins: int = ECE_BINS, *, confidence: Floats | None = None) -> float:
    """The gap between confidence and share read right, averaged over the bins by their digits."""
    table = reliability(probabilities, labels, bins, confidence=confidence)
    return float((table[:, 0] * np.abs(table[:, 1] - table[:, 2])).sum() / len(labels))


def confusion(probabilities: Floats, labels: Labels) -> npt.NDArray[np.int64]:
    """How often each digit (row) was read as each (column): (classes, classes)."""
    classes = probabilities.shape[1]
    pairs = labels * classes + probabilities.argmax(axis=1)
    return np.bincount(pairs, minlength=classes * classes).reshape(classes, classes).astype(np.int64)


def reject_curve(probabilities: Floats, labels: Labels, rate: float, *, confidence: Floats | None = None) -> float:
    """Error in percent of the digits left when the share `rate` with the least confidence is refused; 0 when none is.

    Of equally sure digits the later ones are refused first.
    """
    wrong = probabilities.argmax(axis=1) != labels
    surest_first = np.argsort(-_sure(probabilities, confidence), kind="stable")
    kept = len(labels) - math.floor(rate * len(labels))
    return float(100 * wrong[surest_first[:kept]].mean()) if kept else 0.0


def share_to_refuse(
    probabilities: Floats, labels: Labels, error_percent: float, *, confidence: Floats | None = None
) -> float:
    """The smallest share to refuse, least sure first, so that at most `error_percent` of the rest is misread: 0..1.

    As a threshold would do it: of equally sure digits all are refused, or none.
    """
    sure = _sure(probabilities, confidence)
    surest_first = np.argsort(-sure, kind="stable")
    wrong = (probabilities.argmax(axis=1) != labels)[surest_first]
    kept = np.arange(1, len(labels) + 1)
    within = np.cumsum(wrong) <= error_percent / 100 * kept
    within &= np.append(np.diff(sure[surest_first]) < 0, True)  # where the next one is less sure
    return float(1 - kept[within].max(initial=0) / len(labels))


def threshold_for(probabilities: Floats, accepted: float, *, confidence: Floats | None = None) -> float:
    """The largest confidence that at least the share `accepted` of the digits reaches, rounded down to 4 places."""
    sure = np.sort(_sure(probabilities, confidence))
    refused = math.floor((1 - accepted) * len(sure) + 1e-9)  # 0.01 * 1000 must not become 9.999
    return math.floor(float(sure[min(refused, len(sure) - 1)]) * 10_000) / 10_000
