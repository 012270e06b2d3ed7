"""What a candidate of the segmentation is, by the truth about its field: a whole digit, none, or unclear.

The network's eleventh output means "not exactly one whole digit": parts, pairs and marks. What lies between - a digit
that lost its flag, or took a speck along - teaches neither and is left out.
"""

from collections.abc import Sequence
from typing import Final

import cv2
import numpy as np
import numpy.typing as npt

from app.fields.line import Line
from app.fields.segmentation import Candidate
from training.datasets import RUBBISH
from training.datasets.cheque_amounts import Amount
from training.fields.hand import Ink, Written

UNCLEAR: Final = -1
"""The label of what is not learnt from."""

INK = 0.4  # of full ink: what counts as a pixel of a sign or a candidate
WHOLE, PART = 0.93, 0.75  # of a digit's ink: from here on a candidate has it whole, under that it has a part
STRANGE, FOREIGN = 0.08, 0.25  # of a candidate's ink: so much may be another's, and so much makes it no single digit
LOST = 0.6  # of a sign's ink that the line kept: under that its candidates are unclear
STROKE = 0.95  # of a slash or dash alone nothing is said: normalised it looks like a 1
LIKE_ONE = frozenset("/-|")


def of_written(written: Written, line: Line, candidates: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """(n,) 0..9, RUBBISH or UNCLEAR for each candidate of a field whose every sign is known."""
    shape = line.ink.shape
    seen = line.ink > INK
    masks = np.stack([_on_line(sign.on(written.ink.shape), line) > INK for sign in written.signs])  # (s, h, w)
    near = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in masks])
    kept = (masks & seen).sum((1, 2))
    lost = kept < LOST * np.maximum(masks.sum((1, 2)), 1)
    labels = np.full(len(candidates), UNCLEAR, np.int64)
    for index, candidate in enumerate(candidates):
        ink = _mask(candidate, shape)
        area = max(int(ink.sum()), 1)
        has = (masks & ink).sum((1, 2)) / np.maximum(kept, 1)  # of each sign
        own = int((near & ink).sum((1, 2)).argmax())
        strange = 1 - float((near[own] & ink).sum()) / area
        others = np.delete(has, own)
        char = written.signs[own].char
        if lost[own]:
            continue
        if char.isdigit() and has[own] >= WHOLE and strange <= STRANGE and others.max(initial=0) < PART:
            labels[index] = int(char)
        elif strange >= FOREIGN or has[own] < PART or not (char.isdigit() or char in LIKE_ONE):
            labels[index] = RUBBISH
    return labels


def of_amount(amount: Amount, line: Line, candidates: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """The same for a cheque's amount, of whose digits the boxes are known."""
    x, y, width, height = amount.boxes.T
    truth = np.stack([x, y, x + width, y + height], 1)
    boxes = np.stack([_in_picture(candidate, line) for candidate in candidates]) if candidates else np.zeros((0, 4))
    overlap = _overlap(boxes, truth)  # (n, t)
    labels = np.full(len(candidates), UNCLEAR, np.int64)
    if not len(boxes):
        return labels
    best, which = overlap.max(1), overlap.argmax(1)
    labels[best < SAME_LEAST] = RUBBISH
    for box, char in enumerate(amount.text):
        own = np.flatnonzero((which == box) & (best >= SAME))
        if len(own):
            labels[own] = UNCLEAR
            labels[own[best[own] >= max(SAME_ALSO, best[own].max() - 0.03)]] = int(char)
            labels[own[best[own].argmax()]] = int(char)
    return labels


SAME, SAME_ALSO, SAME_LEAST = 0.7, 0.85, 0.45
"""Intersection over union of a candidate's box with a digit's: the digit if no other fits better, the digit, or none."""


def _on_line(ink: Ink, line: Line) -> Ink:
    """Ink in the picture's pixels (h, w) as it lies in the line's."""
    matrix = line.to_picture.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # pixel i covers i to i + 1 there; OpenCV's centre is i
    height, width = line.ink.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(ink, matrix, (width, height), flags=flags).astype(np.float32, copy=False)


def _mask(candidate: Candidate, shape: tuple[int, ...]) -> npt.NDArray[np.bool_]:
    box, mask = candidate.box, np.zeros(shape, np.bool_)
    mask[box.top : box.bottom, box.left : box.right] = candidate.ink > INK
    return mask


def _in_picture(candidate: Candidate, line: Line) -> npt.NDArray[np.float64]:
    """Left, top, right and bottom of a candidate's ink in the caller's pixels."""
    rows, columns = np.nonzero(candidate.ink > INK)
    if not len(rows):
        return np.zeros(4)
    places = np.stack([columns + candidate.box.left + 0.5, rows + candidate.box.top + 0.5, np.ones(len(rows))])
    at = line.to_picture @ places
    half = np.abs(line.to_picture[:, :2]).sum(1) / 2
    return np.concatenate([at.min(1) - half, at.max(1) + half])


def _overlap(boxes: npt.NDArray[np.float64], truth: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
    """Intersection over union, (n, t), of boxes (n, 4) and (t, 4)."""
    first = np.maximum(boxes[:, None, :2], truth[None, :, :2])
    last = np.minimum(boxes[:, None, 2:], truth[None, :, 2:])
    common = np.clip(last - first, 0, None).prod(2)
    area, other = (np.prod(some[:, 2:] - some[:, :2], axis=1) for some in (boxes, truth))
    together: npt.NDArray[np.float64] = common / np.maximum(area[:, None] + other[None] - common, 1e-9)
    return together
