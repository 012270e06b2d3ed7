"""The pieces of a line: connected components of its ink, cut where characters may touch."""

from dataclasses import dataclass
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt

from app.fields.cuts import proposed_paths
from app.imaging.parts import Box

Ink = npt.NDArray[np.float32]
Labels = npt.NDArray[np.int32]
Stats = npt.NDArray[Any]

SEEN = 0.4  # of full ink: what is a piece's
MAX_COMPONENTS = 400  # the largest are looked at
# Lengths are in heights of the line's body, areas in its square.
SPECK = 0.05**2  # a component of less area is a speck
CUTTABLE = 0.45  # narrower components are not cut
SLIVER = 0.012  # nothing with less ink is cut off
ALIKE = 0.025  # cuts that part the ink alike but for so much are one
CROSSING = 0.004  # of two cuts that cross in more ink, the dearer is left out
DEAREST = 0.42  # no cut crosses more ink
MOST_CUTS = 24  # of one component
GAP = 4  # columns between components on the canvas that they are cut on


@dataclass(frozen=True)
class Piece:
    """A component of ink, or what lies between two cuts of one."""

    label: int
    box: Box  # in pixels of the line
    centre: float  # of mass, across
    mass: float  # pixels of ink
    cut: float  # what the cut on its left crosses, in heights of the body; 0 where a component begins


@dataclass(frozen=True)
class _Cuts:
    columns: npt.NDArray[np.int64]  # (cuts, h) within the component's box, from left to right
    cost: Ink  # (cuts,), pixels of ink


def pieces_of(ink: Ink, body: float) -> tuple[Labels, list[list[Piece]]]:
    """Which piece each pixel of a line's ink (h, w) is of, 0 for none, and each component's pieces from left to right.

    `body` is the height of the line's body, in pixels.
    """
    _, components, stats, _ = cv2.connectedComponentsWithStats((ink > SEEN).astype(np.uint8), connectivity=8)
    area = stats[1:, cv2.CC_STAT_AREA]
    kept = np.flatnonzero(area >= max(2.0, SPECK * body * body)) + 1
    kept = np.sort(kept[np.argsort(-stats[kept, cv2.CC_STAT_AREA], kind="stable")[:MAX_COMPONENTS]])
    renamed = np.zeros(len(stats), np.int32)
    renamed[kept] = np.arange(1, len(kept) + 1)
    labels: Labels = renamed[components]
    groups = [[number] for number in range(1, len(kept) + 1)]
    costs = [0.0] * (len(kept) + 1)
    wide = [int(label) for label in kept if stats[label, cv2.CC_STAT_WIDTH] >= CUTTABLE * body]
    for label, cuts in zip(wide, _cuts(ink, components, stats, wide, body), strict=True):
        if not len(cuts.cost):
            continue
        x, y, w, h = stats[label, :4].tolist()
        own = components[y : y + h, x : x + w] == label
        part = (np.arange(w) >= cuts.columns[:, :, None]).sum(axis=0)  # (h, w): how many cuts pass left of a pixel
        number = int(renamed[label])
        names = np.array([number, *range(len(costs), len(costs) + len(cuts.cost))])
        labels[y : y + h, x : x + w][own] = names[part[own]]
        groups[number - 1] = names.tolist()
        costs += (cuts.cost / body).tolist()
    grown = cv2.dilate(labels.astype(np.float32), np.ones((3, 3), np.uint8)).astype(np.int32)
    labels = np.where((labels == 0) & (ink > 0), grown, labels)  # faint edges belong to the piece beside them
    measured = _measured(labels, ink, costs)
    return labels, [[measured[name] for name in group if name in measured] for group in groups]


def _measured(labels: Labels, ink: Ink, costs: list[float]) -> dict[int, Piece]:
    """The pieces by their labels; none without ink."""
    ys, xs = np.nonzero(labels)
    of = labels[ys, xs]
    value = ink[ys, xs].astype(np.float64)
    count = len(costs)
    mass = np.bincount(of, weights=value, minlength=count)
    moment = np.bincount(of, weights=value * xs, minlength=count)
    first, last = np.full((2, count), np.iinfo(np.int64).max), np.zeros((2, count), np.int64)
    for axis, at in enumerate((xs, ys)):
        np.minimum.at(first[axis], of, at)
        np.maximum.at(last[axis], of, at + 1)
    return {
        name: Piece(
            label=name,
            box=Box(int(first[0, name]), int(first[1, name]), int(last[0, name]), int(last[1, name])),
            centre=float(moment[name] / mass[name]),
            mass=float(mass[name]),
            cut=costs[name],
        )
        for name in np.flatnonzero(mass > 0).tolist()
    }


def _cuts(ink: Ink, components: npt.NDArray[Any], stats: Stats, wide: list[int], body: float) -> list[_Cuts]:
    """The cuts of the components labelled `wide`, all found on one canvas where they stand side by side."""
    if not wide:
        return []
    tallest = int(stats[wide, cv2.CC_STAT_HEIGHT].max())
    span = int(stats[wide, cv2.CC_STAT_WIDTH].sum()) + GAP * (len(wide) + 1)
    canvas = np.zeros((tallest, span), np.float32)
    places = []
    left = GAP
    for label in wide:
        x, y, w, h = stats[label, :4].tolist()
        down = (tallest - h) // 2
        canvas[down : down + h, left : left + w] = ink[y : y + h, x : x + w] * (
            components[y : y + h, x : x + w] == label
        )
        places.append((left, slice(down, down + h), w))
        left += w + GAP
    paths = proposed_paths(canvas, DEAREST * body)
    middle = paths.columns[:, tallest // 2]
    before = 0.0
    cuts = []
    for left, rows, w in places:
        total = float(canvas[:, left : left + w].sum(dtype=np.float64))
        near = np.flatnonzero((middle >= left) & (middle < left + w))
        shares = paths.passed[near].sum(axis=1) - before
        before += total
        chosen = near[_chosen(paths.cost[near], paths.passed[near], shares, total, body)]
        columns = np.maximum.accumulate(paths.columns[chosen][:, rows] - left, axis=0)
        cuts.append(_Cuts(columns, paths.cost[chosen]))
    return cuts


def _chosen(
    cost: Ink, passed: npt.NDArray[np.float64], shares: npt.NDArray[np.float64], total: float, body: float
) -> list[int]:
    """Which paths are cuts, from left to right: the cheapest of each place, and none that cross.

    `passed` (n, h) is the ink of each row left of each path, `shares` (n,) that of the component. Pieces between cuts
    that cross would have no order.
    """
    unit = body * body
    chosen: list[int] = []
    for index in np.argsort(cost, kind="stable").tolist():
        if min(shares[index], total - shares[index]) < SLIVER * unit:
            continue
        if chosen:
            difference = shares[index] - shares[chosen]  # (chosen,)
            if np.abs(difference).min() < ALIKE * unit:
                continue
            ahead = np.maximum(passed[chosen] - passed[index], 0).sum(axis=1)  # ink past this path, left of the others
            if np.where(difference > 0, ahead, ahead + difference).max() > CROSSING * unit:
                continue
        chosen.append(index)
        if len(chosen) == MOST_CUTS:
            break
    return sorted(chosen, key=lambda index: float(shares[index]))
