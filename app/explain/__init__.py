"""How a field was read, drawn for people: what `lenet5 read --explain` writes."""

from typing import Any

import numpy.typing as npt
from lenet5_client.schemas import ReadResponse
from PIL import Image

from app.explain.panel import stacked
from app.explain.verdict import confidence, head, texts
from app.explain.way import cut_line, path_of, segments, sent
from app.fields.reader import Proposal, Reading


def explanation(picture: npt.NDArray[Any], proposal: Proposal, reading: Reading, answer: ReadResponse) -> Image.Image:
    """How a field was read, 1000 pixels wide.

    `picture` is the decoded one, gray levels 0..255 (h, w), of which `proposal` was made; `reading` has its graph.
    """
    path = path_of(proposal, reading, answer)
    panels = [head(answer), sent(picture, proposal, path, answer)]
    if proposal.segmentation.candidates:
        panels.append(cut_line(proposal, path))
    if path:
        panels += [segments(proposal, path), texts(answer), confidence(answer)]
    return stacked(panels, 30)
