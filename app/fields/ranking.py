"""Which of the texts that a segmentation allows is meant, by both readers of a line, and how probable each is.

The lattice's likeliest texts, and the one that the network that reads whole lines says, are weighed by their posterior
in the lattice and by their likelihood to that network (`app.fields.ctc`): log posterior + line_weight * log likelihood.
How sure that makes the best is for the calibration to say, from the odds that each of the two readers gives it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from app.fields.automaton import text
from app.fields.calibration import FieldCalibration
from app.fields.ctc import best_path, log_likelihoods
from app.fields.formats import FieldFormat
from app.fields.lattice import Constrained, Lattice, constrained
from app.fields.texts import Chain, Text, n_best

Floats = npt.NDArray[np.float64]

LISTED: Final = 40
"""The lattice's likeliest texts, which are weighed, if a caller doesn't ask for more."""
CENTS: Final = 2  # digits
HUNDREDTHS: Final = "100"
"""What may stand behind an amount's cents, `xx/100`, and is no part of its text."""


@dataclass(frozen=True)
class Alternative:
    """A text, or a character, that may be meant."""

    text: str
    probability: float


def listed(
    lattice: Lattice,
    product: Constrained,
    field: FieldFormat,
    log_probs: npt.NDArray[np.floating] | None,
    n: int = LISTED,
) -> list[Text]:
    """The texts that are weighed: the n likeliest of a lattice under a format, and that of the line's best path.

    `product` is of the lattice and the format. A text that no path of it has is not listed.
    """
    texts = n_best(Chain.of(product), n)
    heard = set() if log_probs is None else _as_amounts(best_path(log_probs))
    if not heard or heard & {one.text for one in texts}:
        return texts
    return texts + n_best(Chain.of(constrained(lattice, field.automaton.restricted_to(heard))), len(heard))


def _as_amounts(digits: str) -> set[str]:
    """The texts that a line of these digits may have: whole units, with cents, with cents over a hundred."""
    found = {digits, text(digits, CENTS)}
    if digits.endswith(HUNDREDTHS):
        found.add(text(digits.removesuffix(HUNDREDTHS), CENTS))
    return found - {""}


def ranked(
    texts: Sequence[Text], whole: float, log_probs: npt.NDArray[np.floating] | None, weights: FieldCalibration
) -> tuple[Alternative, ...]:
    """The texts, the likeliest first: its probability is the confidence.

    `whole` is the log of the summed weight of all the lattice's paths, `log_probs` (steps, 11) are of the network that
    reads whole lines, where there is one. The other texts share what the confidence leaves as their weights do, and
    none is likelier than the best.
    """
    if not texts:
        return ()
    posteriors, likelihoods = evidence(texts, whole, log_probs)
    weighed = posteriors + weights.line_weight * likelihoods
    order = np.argsort(-weighed, kind="stable").tolist()
    best = order[0]
    confidence = weights.confidence(math.exp(posteriors[best]), math.exp(likelihoods[best]))
    listed = math.exp(min(float(np.logaddexp.reduce(posteriors)), 0.0))  # of all paths
    share = (listed * np.exp(weighed - np.logaddexp.reduce(weighed))).tolist()
    factor = min((1 - confidence) / (1 - share[best]), confidence / share[best]) if 0 < share[best] < 1 else 0.0
    others = (Alternative(texts[index].text, factor * share[index]) for index in order[1:])
    return (Alternative(texts[best].text, confidence), *others)


def evidence(texts: Sequence[Text], whole: float, log_probs: npt.NDArray[np.floating] | None) -> tuple[Floats, Floats]:
    """(n,) each: the log posteriors of texts in a lattice, and the log likelihoods of them as the line is read."""
    posteriors = np.array([min(one.mass - whole, 0.0) for one in texts])
    return posteriors, line_log_likelihoods([one.text for one in texts], log_probs)


def line_log_likelihoods(texts: Sequence[str], log_probs: npt.NDArray[np.floating] | None) -> Floats:
    """(n,), in nats: what the line's network, of outputs (steps, 11), says of texts; 0 without it.

    An amount with cents may be written with them over a hundred.
    """
    if log_probs is None:
        return np.zeros(len(texts))
    digits = [text.replace(".", "") for text in texts]
    fractions = [index for index, text in enumerate(texts) if "." in text]
    found = log_likelihoods(log_probs, [*digits, *(digits[index] + HUNDREDTHS for index in fractions)])
    whole = found[: len(texts)]
    whole[fractions] = np.logaddexp(whole[fractions], found[len(texts) :])
    return whole


def places(texts: Sequence[Alternative], length: int) -> Floats:
    """(length, 10): how probable each digit is at each place, as the texts of so many digits say."""
    found = np.zeros((length, 10))
    for one in texts:
        digits = one.text.replace(".", "")
        if len(digits) == length:
            found[np.arange(length), [int(digit) for digit in digits]] += one.probability
    return np.minimum(found, 1.0)
