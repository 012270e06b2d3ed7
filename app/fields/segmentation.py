"""Over-segmentation: a line's ink in pieces, and every run of pieces that may be a character.

The right segmentation is meant to be one path through the graph whose nodes stand between the pieces and whose arcs are
the candidates; the network then tells which (LeCun et al. 1998, section V, with other cuts).
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from app.fields.line import Line
from app.fields.pieces import Labels, Piece, pieces_of
from app.imaging.box import SIDE, centred, scaled
from app.imaging.parts import Box

Ink = npt.NDArray[np.float32]
Run = tuple[int, int, Box]  # of pieces: the first, the one after the last, and the box round them

MAX_PIECES = 120
MAX_CANDIDATES = 400
MAX_RUN = 9  # pieces of one candidate
# A run of several pieces is no character if it is, in heights of the line's body...
MIN_HEIGHT = 0.4  # lower than this,
MAX_WIDTH = 1.6  # wider than this,
MAX_ASPECT = 2.0  # wider than its height by more than this,
MAX_GAP = 0.2  # parted by so much ground from top to bottom,
MAX_CUTS = 0.6  # or cut off on both sides through so much ink together.


@dataclass(frozen=True)
class Candidate:
    """A run of pieces that may be one character: an arc of the segmentation graph, from node `start` to node `stop`.

    Lengths are relative to the height of the line's body.
    """

    start: int  # it covers the pieces start to stop - 1
    stop: int
    box: Box  # in pixels of the line
    ink: Ink  # (h, w), 0..1: its own pieces' alone, cut to the box
    height: float
    width: float
    above: float  # how far its top lies below the body's; negative: above it
    below: float  # how far its foot lies below the body's
    left_gap: float  # blank columns to the ink of the piece before; negative: they overlap; 1 where there is none
    right_gap: float  # the same of the piece after
    mass: float  # its ink over its box's area


@dataclass(frozen=True)
class Segmentation:
    """The segmentation graph of a line: its nodes are 0 to `pieces`, and some path leads from the first to the last."""

    pieces: int
    candidates: tuple[Candidate, ...]  # by start, then stop
    truncated: bool  # the picture asks for more than the bounds allow


def segment(line: Line) -> Segmentation:
    """The pieces of a line in reading order, and every run of them that may be a character.

    Beyond 120 pieces the smallest are left out, beyond 400 candidates the runs of most pieces.
    """
    body = line.bottom - line.top
    labels, groups = pieces_of(line.ink, body)
    # The parts of one component stay together: a mark that hangs over it must not come between the halves of a digit.
    ordered = [piece for group in sorted(filter(None, groups), key=_centre) for piece in group]
    pieces = _largest(ordered)
    runs = _runs(pieces, body)
    kept = sorted(sorted(runs, key=lambda run: run[1] - run[0])[:MAX_CANDIDATES])
    place = np.zeros(int(labels.max(initial=0)) + 1, np.int32)  # of each label in the pieces' order, counted from 1
    place[[piece.label for piece in pieces]] = np.arange(1, len(pieces) + 1)
    places = place[labels]  # a run's pixels are those from start + 1 to stop
    candidates = tuple(_candidate(line, places, pieces, run) for run in kept)
    return Segmentation(len(pieces), candidates, len(pieces) < len(ordered) or len(kept) < len(runs))


def inputs(segmentation: Segmentation) -> Ink:
    """The network's inputs of a segmentation's candidates, (n, 1, 32, 32): each in MNIST's form."""
    out = np.zeros((len(segmentation.candidates), 1, SIDE, SIDE), np.float32)
    for index, candidate in enumerate(segmentation.candidates):
        out[index] = centred(scaled(candidate.ink))
    return out


def _centre(group: list[Piece]) -> float:
    return sum(piece.centre * piece.mass for piece in group) / sum(piece.mass for piece in group)


def _largest(pieces: list[Piece]) -> list[Piece]:
    """The pieces without the smallest, so that no more than 120 are left, in their order."""
    if len(pieces) <= MAX_PIECES:
        return pieces
    by_mass = sorted(range(len(pieces)), key=lambda index: -pieces[index].mass)
    return [pieces[index] for index in sorted(by_mass[:MAX_PIECES])]


def _runs(pieces: list[Piece], body: float) -> list[Run]:
    """Each run that may be a character; each piece alone is one."""
    cuts = [*(piece.cut for piece in pieces), 0.0]
    runs = []
    for start, first in enumerate(pieces):
        box = first.box
        runs.append((start, start + 1, box))
        for stop in range(start + 2, min(start + MAX_RUN, len(pieces)) + 1):
            gap = pieces[stop - 1].box.left - box.right
            box = box.joined(pieces[stop - 1].box)
            width, height = box.right - box.left, box.bottom - box.top
            if width > MAX_WIDTH * body or gap > MAX_GAP * body:
                break
            if height < MIN_HEIGHT * body or width > MAX_ASPECT * height or cuts[start] + cuts[stop] > MAX_CUTS:
                continue
            runs.append((start, stop, box))
    return runs


def _candidate(line: Line, places: Labels, pieces: list[Piece], run: Run) -> Candidate:
    start, stop, box = run
    body = line.bottom - line.top
    part = places[box.top : box.bottom, box.left : box.right]
    ink = line.ink[box.top : box.bottom, box.left : box.right] * ((part > start) & (part <= stop))
    return Candidate(
        start=start,
        stop=stop,
        box=box,
        ink=ink,
        height=(box.bottom - box.top) / body,
        width=(box.right - box.left) / body,
        above=(box.top - line.top) / body,
        below=(box.bottom - line.bottom) / body,
        left_gap=(box.left - pieces[start - 1].box.right) / body if start else 1.0,
        right_gap=(pieces[stop].box.left - box.right) / body if stop < len(pieces) else 1.0,
        mass=float(ink.sum()) / ink.size,
    )
