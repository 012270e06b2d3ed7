"""Over-segmentation: a line's ink in pieces, and every run of pieces that may be a character.

Pieces are connected components, cut where characters may touch. The right segmentation is meant to be one path through
the graph whose nodes stand between the pieces and whose arcs are the candidates; the network then tells which.
(LeCun et al. 1998, section V, with other cuts.)
"""

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from app.fields.cuts import Paths, proposed_paths
from app.fields.line import Line
from app.imaging.box import SIDE, centred, scaled
from app.imaging.parts import Box

Ink = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]

SEEN = 0.4  # of full ink: what is a piece's
SPECK = 0.05  # of the body's height, as the side of a square: a piece of less area is a speck
MAX_PIECES = 120
MAX_CANDIDATES = 400
MAX_RUN = 8  # pieces of one candidate...
MAX_PARTS = 9  # ...or so many, where they are whole components
MIN_HEIGHT = 0.5  # of the body's height: lower runs of several pieces are no character
MAX_WIDTH = 1.6  # of the body's height, of a candidate of several pieces
CUTTABLE = 0.42  # of the body's height: narrower components are not cut
SLIVER = 0.012  # of the body's height squared: nothing with less ink is cut off
ALIKE = 0.025  # of the body's height squared: cuts that part the ink alike but for so much are one
CROSSING = 0.004  # of the body's height squared: of two cuts that cross in more ink, the dearer is left out
MAX_COST = 0.42  # of the body's height: no cut crosses more ink
GAP = 4  # columns between components on the canvas that they are cut on


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


@dataclass(frozen=True)
class _Piece:
    label: int
    box: Box
    centre: float  # of mass, across
    mass: float  # pixels of ink


def segment(line: Line) -> Segmentation:
    """The pieces of a line in reading order, and every run of them that may be a character."""
    labels, groups = _pieces(line)
    truncated = sum(map(len, groups)) > MAX_PIECES
    if truncated:
        groups = _largest(groups)
    groups.sort(key=_centre)
    pieces = [piece for group in groups for piece in group]
    ends = np.cumsum([len(group) for group in groups]).tolist()
    candidates = _candidates(line, labels, pieces, {0, *ends})
    if len(candidates) > MAX_CANDIDATES:
        truncated = True
        by_use = sorted(candidates, key=lambda one: (one.stop - one.start > 1, one.width, one.start))
        candidates = sorted(by_use[:MAX_CANDIDATES], key=lambda one: (one.start, one.stop))
    return Segmentation(len(pieces), tuple(candidates), truncated)


def inputs(segmentation: Segmentation) -> Ink:
    """The network's inputs of a segmentation's candidates, (n, 1, 32, 32): each in MNIST's form."""
    out = np.zeros((len(segmentation.candidates), 1, SIDE, SIDE), np.float32)
    for index, candidate in enumerate(segmentation.candidates):
        out[index] = centred(scaled(candidate.ink))
    return out


def _pieces(line: Line) -> tuple[Labels, list[list[_Piece]]]:
    """Which piece each pixel (h, w) is of, 0 for none, and the pieces of each component from left to right."""
    height, width = line.ink.shape
    body = line.bottom - line.top
    mask = (line.ink > SEEN).astype(np.uint8)
    count, labels, stats, _ = cv2.connectedComponentsWithStats(mask, connectivity=8)
    kept = [label for label in range(1, count) if stats[label, cv2.CC_STAT_AREA] >= max(2.0, (SPECK * body) ** 2)]
    wide = [label for label in kept if stats[label, cv2.CC_STAT_WIDTH] >= CUTTABLE * body][:MAX_PIECES]
    owner = np.zeros((height, width), np.int32)
    renamed = np.zeros(count, np.int32)
    groups: list[list[int]] = []
    number = 0
    for label in kept:
        number += 1
        renamed[label] = number
        groups.append([number])
    owner = renamed[labels]
    for label, cut in zip(wide, _cuts(line.ink, labels, stats, wide, body), strict=True):
        if not len(cut):
            continue
        x, y, w, h = stats[label, :4]
        own = labels[y : y + h, x : x + w] == label
        # a pixel's part is how many of the cuts pass to its left
        parts = (np.arange(w)[None, None, :] >= cut[:, :, None]).sum(axis=0)  # (h, w)
        base = renamed[label]
        view = owner[y : y + h, x : x + w]
        view[own] = np.where(parts == 0, base, number + parts)[own]
        groups[base - 1] += [number + part for part in range(1, len(cut) + 1)]
        number += len(cut)
    owner = _with_soft_edges(owner, line.ink)
    return owner, [[piece for piece in map(_measured(owner, line.ink, number), group) if piece] for group in groups]


def _with_soft_edges(owner: Labels, ink: Ink) -> Labels:
    """The labels (h, w) grown by a pixel into faint ink that is nobody's."""
    grown = cv2.dilate(owner.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    return np.where((owner == 0) & (ink > 0), grown, owner)


def _measured(owner: Labels, ink: Ink, number: int):  # type: ignore[no-untyped-def]
    ys, xs = np.nonzero(owner)
    of = owner[ys, xs]
    value = ink[ys, xs].astype(np.float64)
    mass = np.bincount(of, weights=value, minlength=number + 1)
    moment = np.bincount(of, weights=value * xs, minlength=number + 1)
    big = 1 << 30
    left, top = np.full(number + 1, big), np.full(number + 1, big)
    right, bottom = np.zeros(number + 1, np.int64), np.zeros(number + 1, np.int64)
    np.minimum.at(left, of, xs)
    np.minimum.at(top, of, ys)
    np.maximum.at(right, of, xs + 1)
    np.maximum.at(bottom, of, ys + 1)

    def piece(label: int) -> _Piece | None:
        if mass[label] <= 0:
            return None
        box = Box(int(left[label]), int(top[label]), int(right[label]), int(bottom[label]))
        return _Piece(label, box, float(moment[label] / mass[label]), float(mass[label]))

    return piece


def _cuts(
    ink: Ink, labels: Labels, stats: npt.NDArray[np.int32], wide: list[int], body: float
) -> list[npt.NDArray[np.int64]]:
    """The cuts of each component: (cuts, h) columns within its box, from left to right."""
    if not wide:
        return []
    tallest = max(int(stats[label, cv2.CC_STAT_HEIGHT]) for label in wide)
    span = sum(int(stats[label, cv2.CC_STAT_WIDTH]) for label in wide) + GAP * (len(wide) + 1)
    canvas = np.zeros((tallest, span), np.float32)
    places = []
    at = GAP
    for label in wide:
        x, y, w, h = stats[label, :4].tolist()
        down = (tallest - h) // 2
        own = labels[y : y + h, x : x + w] == label
        canvas[down : down + h, at : at + w] = ink[y : y + h, x : x + w] * own
        places.append((at, down, w, h))
        at += w + GAP
    paths = proposed_paths(canvas, MAX_COST * body)
    middle = paths.columns[:, tallest // 2]
    cuts = []
    for left, down, w, h in places:
        near = np.flatnonzero((middle >= left) & (middle < left + w))
        rows = slice(down, down + h)
        part = Paths(paths.cost[near], paths.columns[near, rows], paths.passed[near, rows])
        total = float(canvas[rows, left : left + w].sum())
        before = part.passed.min(axis=0) if False else np.array([canvas[r, :left].sum() for r in range(down, down + h)])
        cuts.append(_chosen(part, before, total, body) - left)
    return cuts


def _chosen(paths: Paths, before: npt.NDArray[np.float64], total: float, body: float) -> npt.NDArray[np.int64]:
    """The paths that are taken as cuts, (cuts, h) columns from left to right: the cheapest of each place.

    None of them cross, or their pieces would have no order.
    """
    unit = body * body
    shares = (paths.passed - before).sum(axis=1)
    chosen: list[int] = []
    for index in np.argsort(paths.cost, kind="stable").tolist():
        share = shares[index]
        if min(share, total - share) < SLIVER * unit:
            continue
        apart = True
        for other in chosen:
            difference = share - shares[other]
            beyond = float(np.maximum(paths.passed[other] - paths.passed[index], 0).sum())  # of `other`, past this one
            crossing = beyond if difference > 0 else beyond + difference
            if abs(difference) < ALIKE * unit or crossing > CROSSING * unit:
                apart = False
                break
        if apart:
            chosen.append(index)
    chosen.sort(key=lambda index: float(shares[index]))
    return np.maximum.accumulate(paths.columns[chosen], axis=0)


def _largest(groups: list[list[_Piece]]) -> list[list[_Piece]]:
    """The groups without their smallest pieces, so that 120 are left."""
    masses = sorted((piece.mass for group in groups for piece in group), reverse=True)
    least = masses[MAX_PIECES - 1]
    left = MAX_PIECES
    kept = []
    for group in groups:
        held = [piece for piece in group if piece.mass >= least][:left]
        left -= len(held)
        if held:
            kept.append(held)
    return kept


def _centre(group: list[_Piece]) -> float:
    return sum(piece.centre * piece.mass for piece in group) / sum(piece.mass for piece in group)


def _candidates(line: Line, labels: Labels, pieces: list[_Piece], ends: set[int]) -> list[Candidate]:
    """Every run of pieces that may be a character; `ends` are the nodes between components."""
    body = line.bottom - line.top
    found = []
    for start in range(len(pieces)):
        box = pieces[start].box
        members = np.zeros(int(labels.max()) + 1, bool)
        for stop in range(start + 1, min(start + MAX_PARTS, len(pieces)) + 1):
            box = box.joined(pieces[stop - 1].box)
            members[pieces[stop - 1].label] = True
            if stop - start > 1 and box.right - box.left > MAX_WIDTH * body:
                break
            if stop - start > 1 and box.bottom - box.top < MIN_HEIGHT * body:
                continue
            if stop - start > MAX_RUN and not (start in ends and stop in ends):
                continue
            area = slice(box.top, box.bottom), slice(box.left, box.right)
            ink = line.ink[area] * members[labels[area]]
            before = pieces[start - 1].box if start else None
            after = pieces[stop].box if stop < len(pieces) else None
            found.append(
                Candidate(
                    start=start,
                    stop=stop,
                    box=box,
                    ink=ink,
                    height=(box.bottom - box.top) / body,
                    width=(box.right - box.left) / body,
                    above=(box.top - line.top) / body,
                    below=(box.bottom - line.bottom) / body,
                    left_gap=(box.left - before.right) / body if before else 1.0,
                    right_gap=(after.left - box.right) / body if after else 1.0,
                    mass=float(ink.sum()) / ink.size,
                )
            )
    return found
