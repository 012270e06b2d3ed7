"""Which of somebody's own digits are held out to choose by: whole groups, or of every class its share."""

import numpy as np
import numpy.typing as npt

from training.errors import DatasetError
from training.own.digits import OwnDigits
from training.split import Split

LEAST = 20
"""Pictures on either side, under which an error rate says nothing."""


def split(own: OwnDigits, share: float, seed: int) -> Split:
    """Hold out about the `share` of the pictures: whole groups where there are groups, else of every class its share.

    Without groups copies of one picture stay together, whatever they are labelled as.

    Raises:
        DatasetError: there are too few pictures or groups; the message says how many.
    """
    if own.groups is not None:
        names = np.array(own.groups)
        held_out = _groups(names, share, seed, own.name)
    else:
        held_out = _stratified(own, share, seed)
    parts = Split(np.flatnonzero(~held_out), np.flatnonzero(held_out))
    fewest = min(len(parts.learnt), len(parts.held_out))
    if fewest < LEAST:
        raise DatasetError(
            f"{own.name}: {len(own)} pictures leave {len(parts.learnt)} to learn from and {len(parts.held_out)} held "
            f"out, but each takes at least {LEAST}: give more pictures{' or groups' if own.groups else ''}, "
            f"or hold out another share than {share}."
        )
    return parts


def _groups(names: npt.NDArray[np.str_], share: float, seed: int, data: str) -> npt.NDArray[np.bool_]:
    groups, sizes = np.unique(names, return_counts=True)
    if len(groups) < 2:
        raise DatasetError(f"{data}: all pictures are of one group, '{groups[0]}'; a split by group takes two or more.")
    wanted, chosen, total = share * len(names), [], 0
    for index in np.random.default_rng(seed).permutation(len(groups)):
        if abs(total + sizes[index] - wanted) < abs(total - wanted):  # it brings the share nearer
            chosen.append(groups[index])
            total += sizes[index]
    return np.isin(names, chosen or [groups[sizes.argmin()]])


def _stratified(own: OwnDigits, share: float, seed: int) -> npt.NDArray[np.bool_]:
    draw = np.random.default_rng(seed)
    pictures = own.picture_ids()
    chosen: list[npt.NDArray[np.int64]] = []
    for label in np.unique(own.labels):
        of_class = np.unique(pictures[own.labels == label])  # a copy of a picture is no other picture
        chosen.append(draw.permutation(of_class)[: round(share * len(of_class))])
    return np.isin(pictures, np.concatenate(chosen))
