"""One field, in two halves: what is to be shown to the network, and what its answer says.

picture (h, w) --propose--> n candidates  ... log-probabilities (n, 11)      --decode--> Reading
                            strip (32, w) ... log-probabilities (steps, 11)
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

import numpy as np
import numpy.typing as npt

from app.fields.calibration import FieldCalibration
from app.fields.cut_lines import cuts_of
from app.fields.formats import FieldFormat, anything
from app.fields.lattice import Constrained, Lattice, Path, constrained, viterbi
from app.fields.line import Line, clean
from app.fields.ranking import LISTED, Alternative, line_log_likelihoods, listed, places, ranked
from app.fields.scores import lattice_of
from app.fields.segmentation import Segmentation, inputs, segment
from app.fields.strip import strip
from app.fields.symbols import DIGITS, SYMBOLS

FieldReason = Literal[
    "blank",
    "too_small",
    "low_contrast",
    "not_a_digit",
    "ambiguous_cut",
    "no_digits",
    "length_mismatch",
    "format_invalid",
]
"""What speaks against a reading besides a low confidence."""

XYWH = tuple[int, int, int, int]
MENTIONED: Final = 1e-4  # of a character's alternatives: the least probability
MOST_CHARACTERS: Final = 5  # alternatives of one place
CUT_STEP: Final = 3  # rows of the line between two points of a cut


@dataclass(frozen=True)
class Proposal:
    """A picture of a field, cut into candidates."""

    line: Line
    segmentation: Segmentation
    strip: npt.NDArray[np.float32]  # (32, w): the whole line, for the network that reads lines
    inputs: npt.NDArray[np.float32]  # (n, 1, 32, 32): the candidates, for LeNet-5
    width: int  # of the picture, in the caller's pixels
    height: int
    scale: tuple[float, float]  # from the decoded picture's pixels to the caller's


@dataclass(frozen=True)
class Character:
    """One character of the text."""

    char: str
    probability: float
    box: XYWH  # x, y, width, height in the caller's pixels
    alternatives: tuple[Alternative, ...]


@dataclass(frozen=True)
class Reading:
    """What a field says."""

    text: str
    confidence: float  # the probability that all of the text is right
    reasons: tuple[FieldReason, ...]  # what speaks against it, whatever the threshold
    alternatives: tuple[Alternative, ...]  # texts by their probability, the first is `text`
    characters: tuple[Character, ...]
    expected: float | None  # the probability of the expected text, where there is one
    valid: bool  # whether there is a text, and the picture says it as the format has it
    graph: dict[str, Any] | None  # the segmentation graph, for `debug`


def propose(picture: npt.NDArray[Any], size: tuple[int, int] | None = None) -> Proposal:
    """The candidates of a gray picture, uint8 or floating (h, w) in gray levels 0..255.

    `size` is its width and height in the caller's pixels, where it was decoded smaller than it is.
    """
    height, width = picture.shape
    line = clean(picture)
    segmentation = segment(line)
    own_width, own_height = size or (width, height)
    scale = (own_width / width, own_height / height)
    return Proposal(line, segmentation, strip(line), inputs(segmentation), own_width, own_height, scale)


def decode(
    proposal: Proposal,
    log_probs: npt.NDArray[np.floating],
    line_log_probs: npt.NDArray[np.floating] | None,
    field: FieldFormat,
    *,
    n_best: int,
    weights: FieldCalibration,
    debug: bool = False,
) -> Reading:
    """What the networks say of a proposal, under a format.

    `log_probs` (n, 11) are of its candidates, `line_log_probs` (steps, 11) of its strip, where a network reads lines.
    """
    lattice = lattice_of(proposal.segmentation, log_probs, weights)
    everything, product = constrained(lattice, anything()), constrained(lattice, field.automaton)
    whole = everything.forward
    texts = listed(lattice, product, field, line_log_probs, max(n_best, LISTED))
    alternatives = ranked(texts, whole, line_log_probs, weights)
    text = alternatives[0].text if alternatives else ""
    path = viterbi(product) if text else None
    if path and path.text != text:  # another text has the path of the largest weight
        path = viterbi(constrained(lattice, field.automaton.restricted_to([text])))
    reasons = _reasons(proposal, everything, product, field)
    expected = None
    if field.expected is not None:
        mass = constrained(lattice, field.automaton.restricted_to([field.expected])).forward
        likelihood = math.exp(line_log_likelihoods([field.expected], line_log_probs)[0])
        expected = weights.confidence(math.exp(min(mass - whole, 0.0)), likelihood)
    return Reading(
        text=text,
        confidence=alternatives[0].probability if text else 0.0,
        reasons=reasons,
        alternatives=alternatives[:n_best] if text else (),
        characters=_characters(proposal, lattice, path, alternatives) if path else (),
        expected=expected,
        valid=bool(text) and not {"format_invalid", "length_mismatch"} & set(reasons),
        graph=_graph(proposal, log_probs, lattice, path) if debug else None,
    )


def _reasons(
    proposal: Proposal, everything: Constrained, product: Constrained, field: FieldFormat
) -> tuple[FieldReason, ...]:
    """What speaks against a reading: the picture, or what it would say without the format."""
    reasons: list[FieldReason] = list(proposal.line.reasons)
    if "blank" in reasons:
        return ("blank",)
    if not proposal.segmentation.candidates:
        return (*reasons, "no_digits")
    free = viterbi(everything)
    if free is None or not free.text:
        reasons.append("no_digits")
    elif product.forward - everything.forward < math.log(0.5):  # most of the mass is the format's to forbid
        reasons.append("format_invalid" if field.automaton.has_length(len(free.text)) else "length_mismatch")
    if proposal.segmentation.truncated:
        reasons.append("ambiguous_cut")
    return tuple(reasons)


def _characters(
    proposal: Proposal, lattice: Lattice, path: Path, texts: Sequence[Alternative]
) -> tuple[Character, ...]:
    """The characters of the text on its best path.

    The probability of a digit at a place is that of all texts that have it there and have as many digits; so it is
    never less than the text's own.
    """
    found: list[Character] = []
    for place, arc in zip(places(texts, len(path.spoken)), path.spoken, strict=True):
        char = SYMBOLS[lattice.symbol[arc]]
        order = np.argsort(-place, kind="stable")[:MOST_CHARACTERS].tolist()
        others = tuple(Alternative(SYMBOLS[d], float(place[d])) for d in order if place[d] >= MENTIONED)
        found.append(Character(char, float(place[int(char)]), _box(proposal, int(lattice.source[arc])), others))
    whole_part, dot, cents = path.text.partition(".")
    if dot:
        before, after = path.spoken[-len(cents) - 1], path.spoken[-len(cents)]
        between = path.arcs[path.arcs.index(before) + 1 : path.arcs.index(after)]
        marks = [arc for arc in between if SYMBOLS[lattice.symbol[arc]] in ".,-"]
        probability = min(sum(one.probability for one in texts if one.text[len(whole_part) :].startswith(dot)), 1.0)
        box = (
            _box(proposal, int(lattice.source[marks[0]]))
            if marks
            else _gap(found[-len(cents) - 1].box, found[-len(cents)].box)
        )
        found.insert(len(whole_part), Character(dot, probability, box, (Alternative(dot, probability),)))
    return tuple(found)


def _gap(left: XYWH, right: XYWH) -> XYWH:
    """Where a mark would stand that the picture has not: on the foot of the character before it."""
    x = left[0] + left[2]
    return (x, left[1] + left[3] - 1, max(right[0] - x, 1), 1)


def _box(proposal: Proposal, source: int) -> XYWH:
    """A candidate's box in the caller's pixels: the smallest upright one round it."""
    box = proposal.segmentation.candidates[source].box
    corners = np.array([(x, y, 1) for x in (box.left, box.right) for y in (box.top, box.bottom)], np.float64)
    points = corners @ proposal.line.to_picture.T * proposal.scale  # (4, 2)
    limits = (proposal.width, proposal.height)
    low = np.clip(np.floor(points.min(axis=0)), 0, np.array(limits) - 1).astype(int)
    high = np.clip(np.ceil(points.max(axis=0)), low + 1, limits).astype(int)
    return (int(low[0]), int(low[1]), int(high[0] - low[0]), int(high[1] - low[1]))


def _in_picture(proposal: Proposal, points: Sequence[tuple[float, float]]) -> list[list[float]]:
    """Points of a line in the caller's pixels."""
    found = np.array([(x, y, 1) for x, y in points]) @ proposal.line.to_picture.T * proposal.scale  # (n, 2)
    rounded: list[list[float]] = found.round(1).tolist()
    return rounded


def _graph(
    proposal: Proposal, log_probs: npt.NDArray[np.floating], lattice: Lattice, path: Path | None
) -> dict[str, Any]:
    """The segmentation graph, for people: cut i leads to node i + 1, its points go down in the caller's pixels."""
    scores = lattice.score.reshape(-1, len(SYMBOLS))
    candidates = [
        {
            "start": one.start,
            "stop": one.stop,
            "box": _box(proposal, index),
            "no_digit": math.exp(float(log_probs[index, DIGITS])),
            "scores": {symbol: round(float(score), 3) for symbol, score in zip(SYMBOLS, scores[index], strict=True)},
        }
        for index, one in enumerate(proposal.segmentation.candidates)
    ]
    arcs = path.arcs if path else ()
    taken = [proposal.segmentation.candidates[int(lattice.source[arc])] for arc in arcs]
    cuts = [
        {"taken": cut.taken, "through_ink": cut.through_ink, "points": _in_picture(proposal, cut.points[::CUT_STEP])}
        for cut in cuts_of(proposal.segmentation, taken)
    ]
    return {
        "nodes": lattice.nodes,
        "truncated": proposal.segmentation.truncated,
        "candidates": candidates,
        "cuts": cuts,
        "path": [{"candidate": int(lattice.source[arc]), "symbol": SYMBOLS[lattice.symbol[arc]]} for arc in arcs],
    }
