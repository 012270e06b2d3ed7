"""How it was read: the picture as sent, the line with its cuts, the segments of the path as the network saw them."""

import math
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
import numpy.typing as npt
from lenet5_client.schemas import Character, ReadResponse

from app.explain.panel import (
    BLUE,
    CUT,
    DOUBTFUL,
    FAINT,
    INK,
    MUTED,
    NOT_CUT,
    WIDTH,
    Panel,
    fitting,
    percent,
    titled,
    width_of,
)
from app.explain.strips import strips
from app.fields.cut_lines import Cut, cuts_of
from app.fields.reader import Proposal, Reading
from app.fields.segmentation import Candidate
from app.imaging.box import SIDE

SURE: Final = 0.95  # a character of less probability is drawn as doubtful
BODY: Final = 22  # pixels; digits are not drawn smaller, the line is broken instead
HIGHEST: Final = 200  # pixels; no row of a picture is drawn higher
GAP: Final = 8  # between cards
MARKS: Final = {".": "point", ",": "comma", "-": "dash", "/": "slash", "$": "skipped"}


@dataclass(frozen=True)
class Step:
    """One segment of the path."""

    index: int  # of the candidate
    candidate: Candidate
    symbol: str
    no_digit: float  # what the network gives to its not being one whole digit
    character: Character | None  # of the text; none for what is not in it

    @property
    def color(self) -> str:
        """By how sure it is."""
        if self.character is None:
            return MUTED
        return BLUE if self.character.probability >= SURE else DOUBTFUL


def path_of(proposal: Proposal, reading: Reading, answer: ReadResponse) -> list[Step]:
    """The path of the best text, each segment with the text's character in the same box."""
    graph = reading.graph or {"path": [], "candidates": []}
    characters = {tuple(one.box): one for one in answer.characters}
    steps = []
    for one in graph["path"]:
        seen = graph["candidates"][one["candidate"]]
        candidate = proposal.segmentation.candidates[one["candidate"]]
        character = characters.get(tuple(seen["box"]))
        steps.append(Step(one["candidate"], candidate, one["symbol"], seen["no_digit"], character))
    return steps


def sent(picture: npt.NDArray[Any], proposal: Proposal, path: list[Step], answer: ReadResponse) -> Panel:
    """The picture in gray, with the frame of each segment of the path as it lies there."""
    height, width = picture.shape
    line, image = proposal.line, answer.image
    frames = [_frame(step.candidate, line.to_picture) for step in path]
    body = max((line.bottom - line.top) * abs(line.to_picture[1, 1]), 1.0)
    between = [(one[:, 0].max() + other[:, 0].min()) / 2 for one, other in pairwise(frames)]
    shown = strips(width, height, WIDTH, highest=HIGHEST, least=BODY / body, breaks=between)
    scale, row = shown.scale, height * shown.scale + 8
    remark = f"{image.width} x {image.height} pixels, {image.polarity.replace('_', ' ')}"
    if "blank" not in answer.reasons:
        skew, slant = (round(angle, 1) + 0.0 for angle in (image.skew_degrees, image.slant_degrees))  # never -0.0
        remark += f", skewed by {skew}°, slanted by {slant}°"
    panel = titled(row * len(shown.rows) - 8, "The picture as sent", remark)
    for number, (start, stop) in enumerate(shown.rows):
        top = 30 + number * row
        place = (0, top, (stop - start) * scale, top + height * scale)
        panel.picture(picture[:, start:stop], place)
        panel.rectangle(place, outline=FAINT)
        for step, frame in zip(path, frames, strict=True):
            if start <= frame[:, 0].mean() < stop:
                corners = (frame - (start, 0)) * scale + (0, top)  # (4, 2)
                panel.line([(x, y) for x, y in corners[[0, 1, 2, 3, 0]].tolist()], step.color)
    return panel


def _frame(candidate: Candidate, to_picture: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """The corners (4, 2) of a candidate's box, in the decoded picture's pixels."""
    box = candidate.box
    corners = [(box.left, box.top), (box.right, box.top), (box.right, box.bottom), (box.left, box.bottom)]
    found: npt.NDArray[np.float64] = np.array([(x, y, 1) for x, y in corners]) @ to_picture.T
    return found


def cut_line(proposal: Proposal, path: list[Step]) -> Panel:
    """The line's ink, every cut, and under each segment of the path what it is read as."""
    ink = proposal.line.ink
    cuts = cuts_of(proposal.segmentation, [step.candidate for step in path])
    taken = [cut.middle for cut in cuts if cut.taken]
    height, width = ink.shape
    body = proposal.line.bottom - proposal.line.top
    shown = strips(width, height, WIDTH, highest=HIGHEST, least=BODY / body, breaks=taken)
    scale, row = shown.scale, height * shown.scale + 44
    remark = f"{len(cuts) + 1} pieces, {len(proposal.segmentation.candidates)} segments looked at; "
    remark += f"the path takes {len(taken)} of {len(cuts)} cuts (red)" if path else "no path through them makes a text"
    panel = titled(row * len(shown.rows) - 10, "Cleaned, straightened and cut", remark)
    gray = 255 - ink * (255 - 64)
    for number, (start, stop) in enumerate(shown.rows):
        top = 36 + number * row
        foot = top + height * scale + 8
        panel.picture(gray[:, start:stop], (0, top, (stop - start) * scale, top + height * scale))
        for cut in cuts:
            if start < cut.middle < stop:
                _draw_cut(panel, [((x - start) * scale, top + y * scale) for x, y in cut.points], cut)
        for step, (left, right) in zip(path, _apart([step.candidate for step in path]), strict=True):
            if start <= (left + right) / 2 < stop:
                first, last = (max(left, start) - start) * scale + 1.5, (min(right, stop) - start) * scale - 1.5
                panel.rectangle((first, foot, max(last, first + 2), foot + 3), step.color, radius=1.5)
                panel.text(((first + last) / 2, foot + 20), step.symbol, 15, color=step.color, anchor="ms", weight=1)
    return panel


def _apart(path: list[Candidate]) -> list[tuple[float, float]]:
    """Where each segment begins and ends, across; of two that overlap each gets half of what they share."""
    ends = [[float(one.box.left), float(one.box.right)] for one in path]
    for one, other in pairwise(ends):
        if one[1] > other[0]:
            one[1] = other[0] = (one[1] + other[0]) / 2
    return [(left, right) for left, right in ends]


def _draw_cut(panel: Panel, points: list[tuple[float, float]], cut: Cut) -> None:
    """Solid through ink, dotted through a gap; one that is taken reaches over the ink."""
    color = CUT if cut.taken else NOT_CUT
    if cut.taken:
        (first, top), (last, bottom) = points[0], points[-1]
        points = [(first, top - 6), *points, (last, bottom + 5)]
    if cut.through_ink:
        panel.line(points, color, 1.5 if cut.taken else 1)
    else:
        for one, other in zip(points[::4], points[2::4], strict=False):
            panel.line([one, other], color)


def segments(proposal: Proposal, path: list[Step]) -> Panel:
    """A card for each segment: its input, its symbol, and how sure it is."""
    side = next((zoom * SIDE for zoom in (4, 3) if len(path) * (zoom * SIDE + 22 + GAP) <= WIDTH + GAP), 2 * SIDE)
    width, height = side + 22, side + 88
    across = (WIDTH + GAP) // (width + GAP)
    panel = titled(
        math.ceil(len(path) / across) * (height + GAP) - GAP,
        "The path: each segment as the network saw it",
        f"its symbol and the probability of that at its place (orange: under {percent(SURE)}), and the runner-up",
    )
    for number, step in enumerate(path):
        down, right = divmod(number, across)
        left, top = right * (width + GAP), 30 + down * (height + GAP)
        panel.rectangle((left, top, left + width, top + height), outline=FAINT, radius=6)
        inside = (left + 11, top + 11, left + 11 + side, top + 11 + side)
        panel.picture(proposal.inputs[step.index, 0] * 255, inside, smooth=False)
        _say(panel, step, left + width / 2, top + side, side)
    return panel


def _say(panel: Panel, step: Step, middle: float, top: float, room: float) -> None:
    """What a card says under its picture."""
    one = step.character
    if one is None or not one.char.isdigit():
        panel.text((middle, top + 40), step.symbol, 26, color=step.color, anchor="ms", weight=1)
        said = MARKS.get(step.symbol, "not in the text")
        panel.text((middle, top + 60), said, 13, color=MUTED, anchor="ms")
    else:
        width = width_of(one.char, 26) + 8 + width_of(percent(one.probability), 13)
        panel.text((middle - width / 2, top + 40), one.char, 26, color=step.color, anchor="ls", weight=1)
        panel.text((middle + width / 2, top + 39), percent(one.probability), 13, color=step.color, anchor="rs")
        others = [other for other in one.alternatives if other.char != one.char]
        runner_up = f"or {others[0].char}: {percent(others[0].probability)}" if others else "no other"
        panel.text((middle, top + 60), runner_up, 12, color=INK if others else MUTED, anchor="ms")
        no_digit = f"no digit: {percent(step.no_digit)}"
        panel.text((middle, top + 77), no_digit, fitting(no_digit, 11, room + 14), color=MUTED, anchor="ms")
