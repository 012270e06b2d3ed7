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
WHOLE, PART = 0.93, 0.75  # of a digit's ink: from here on a candidate has it whole; under that it has a part
FREE, FOREIGN = 0.08, 0.25  # of a candidate's ink that is not the digit's: none to speak of; from here on too much
NEARLY = 0.7  # the share of the digit less that of what is not: the best candidate is the digit if no other is
LOST = 0.6  # of a sign's ink that the line kept: under that its candidates are unclear
LIKE_ONE = "/"  # of that nothing is said: normalised alone it looks like a 1
ALONE = 0.3  # of the ink in a digit's box: so much lies in no other's, or all of it has to be counted

Masks = npt.NDArray[np.bool_]  # (signs, h, w), on the line


def of_written(written: Written, line: Line, candidates: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """(n,) 0..9, RUBBISH or UNCLEAR for each candidate of a field whose every sign is known."""
    masks = np.stack([_on_line(sign.on(written.ink.shape), line) > INK for sign in written.signs])
    seen = masks & (line.ink > INK)
    lost = seen.sum((1, 2)) < LOST * masks.sum((1, 2))
    near = np.stack([cv2.dilate(mask.astype(np.uint8), np.ones((3, 3), np.uint8)) > 0 for mask in masks])
    return _labels(written.text, seen, near, lost, candidates)


def of_amount(amount: Amount, line: Line, candidates: Sequence[Candidate]) -> npt.NDArray[np.int64]:
    """The same for a cheque's amount, of whose digits the boxes are known: what inks they have in common is unclear."""
    sheets = np.zeros((len(amount.text), *amount.picture.shape), np.float32)
    for sheet, (x, y, width, height) in zip(sheets, np.rint(amount.boxes).astype(int).tolist(), strict=True):
        sheet[max(y, 0) : y + height, max(x, 0) : x + width] = 1
    boxes = np.stack([_on_line(sheet, line) > INK for sheet in sheets])
    inside = boxes & (line.ink > INK)
    alone = inside & (boxes.sum(0) == 1)
    shared = alone.sum((1, 2)) < ALONE * inside.sum((1, 2))
    alone[shared] = inside[shared]
    nothing = inside.sum((1, 2)) == 0
    return _labels(amount.text, alone, boxes, nothing, candidates)


def _labels(
    text: str, seen: Masks, near: Masks, lost: npt.NDArray[np.bool_], candidates: Sequence[Candidate]
) -> npt.NDArray[np.int64]:
    """`seen` is each sign's ink, `near` where a candidate's ink may lie and still be that sign's."""
    labels = np.full(len(candidates), UNCLEAR, np.int64)
    total = np.maximum(seen.sum((1, 2)), 1)
    nearly: dict[int, tuple[float, int]] = {}  # by sign, the best that there is
    found: set[int] = set()
    for index, candidate in enumerate(candidates):
        box, ink = candidate.box, candidate.ink > INK
        area = np.s_[:, box.top : box.bottom, box.left : box.right]
        has = (seen[area] & ink).sum((1, 2)) / total  # of each sign
        inside = (near[area] & ink).sum((1, 2)) / max(int(ink.sum()), 1)  # of the candidate, in each sign
        own = int((inside * has.clip(0.01)).argmax())
        strange, char = 1 - inside[own], text[own]
        if lost[own]:
            continue
        alone = char.isdigit() and np.delete(has, own).max(initial=0) < PART
        if alone and has[own] >= WHOLE and strange <= FREE:
            labels[index] = int(char)
            found.add(own)
        elif strange >= FOREIGN or has[own] < PART or not (char.isdigit() or char in LIKE_ONE):
            labels[index] = RUBBISH
        if alone:
            nearly[own] = max(nearly.get(own, (NEARLY, -1)), (float(has[own] - strange), index))
    for own, (_, index) in nearly.items():
        if own not in found and index >= 0:
            labels[index] = int(text[own])
    return labels


def _on_line(ink: Ink, line: Line) -> Ink:
    """Ink in the picture's pixels (h, w) as it lies in the line's."""
    matrix = line.to_picture.copy()
    matrix[:, 2] += matrix[:, :2] @ (0.5, 0.5) - 0.5  # pixel i covers i to i + 1 there; OpenCV's centre is i
    height, width = line.ink.shape
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    return cv2.warpAffine(ink, matrix, (width, height), flags=flags).astype(np.float32, copy=False)
