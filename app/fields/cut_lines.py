"""Where the pieces of a line part, as lines to be drawn.

The network never sees them: they are for people, who want to see what was considered.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.fields.segmentation import Candidate, Segmentation


@dataclass(frozen=True)
class Cut:
    """What parts one piece from the next."""

    points: tuple[tuple[float, float], ...]  # x, y in pixels of the line, from top to bottom
    through_ink: bool  # whether the two touch
    taken: bool  # whether the path parts them

    @property
    def middle(self) -> float:
        """Where it is, across."""
        return float(np.median([x for x, _ in self.points]))


def cuts_of(segmentation: Segmentation, path: list[Candidate]) -> list[Cut]:
    """The cut at each inner node of a segmentation, from left to right."""
    pieces = {one.start: one for one in segmentation.candidates if one.stop == one.start + 1}
    left_of = {one.stop: one for one in path}
    right_of = {one.start: one for one in path}
    found = []
    for node in range(1, segmentation.pieces):
        taken = node in left_of and node in right_of
        left, right = (left_of[node], right_of[node]) if taken else (pieces[node - 1], pieces[node])
        found.append(_cut(left, right, taken=taken))
    return found


def _cut(left: Candidate, right: Candidate, *, taken: bool) -> Cut:
    top, bottom = min(left.box.top, right.box.top), max(left.box.bottom, right.box.bottom)
    rows = np.arange(top, bottom)
    end = _edges(left, rows, last=True)
    begin = _edges(right, rows, last=False)
    known = np.isfinite(end) & np.isfinite(begin)
    if known.any():
        across = np.interp(rows, rows[known], (end[known] + begin[known]) / 2)
    else:
        across = np.full(len(rows), (left.box.right + right.box.left) / 2)
    through_ink = bool((np.abs(begin - end)[known] < 1.5).any())
    reach = 2 if through_ink else 8  # a cut through ink shows where it goes, one through a gap need only be smooth
    across = np.convolve(np.pad(across, reach, mode="edge"), np.ones(2 * reach + 1) / (2 * reach + 1), mode="valid")
    return Cut(tuple(zip(across.tolist(), (rows + 0.5).tolist(), strict=True)), through_ink, taken)


def _edges(candidate: Candidate, rows: npt.NDArray[np.int64], *, last: bool) -> npt.NDArray[np.float64]:
    """Where a candidate's ink ends, or begins, in each of the rows; nan where it has none."""
    mask = candidate.ink > 0
    columns = mask.shape[1] - np.argmax(mask[:, ::-1], axis=1) if last else np.argmax(mask, axis=1)
    edges = np.full(len(rows), np.nan)
    start = candidate.box.top - int(rows[0])
    edges[start : start + len(mask)] = np.where(mask.any(axis=1), candidate.box.left + columns, np.nan)
    return edges
