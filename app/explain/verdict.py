"""What came of it, in words and bars: the text, the other texts, the confidence against the threshold."""

import math
from collections.abc import Mapping
from typing import Final

from lenet5_client.schemas import ReadResponse, Reason

from app.explain.panel import BLUE, DOUBTFUL, FAINT, GOOD, INK, MUTED, WIDTH, Panel, fitting, percent, titled, width_of

WHY: Final[Mapping[Reason, str]] = {
    "blank": "there is nothing on the picture",
    "too_small": "the digits are too small",
    "low_contrast": "the ink hardly stands out",
    "not_a_digit": "what is on the picture is no digit",
    "low_confidence": "the confidence is under the threshold",
    "ambiguous_cut": "there is more on the picture than is looked at",
    "no_digits": "no digits are found",
    "length_mismatch": "there are more or fewer digits than the field has",
    "format_invalid": "the picture says what the field may not hold",
}


def head(answer: ReadResponse) -> Panel:
    """The text, what was asked, and whether it is accepted or why not."""
    panel = Panel(78)
    color = GOOD if answer.accepted else DOUBTFUL
    verdict = "accepted" if answer.accepted else "not accepted"
    badge = width_of(verdict, 16) + 28
    panel.rectangle((WIDTH - badge, 4, WIDTH, 38), color, radius=17)
    panel.text((WIDTH - badge / 2, 21), verdict, 16, color="#ffffff", anchor="mm", weight=1)
    text = answer.text or "nothing read"
    size = fitting(text, 46, WIDTH - badge - 30)
    panel.text((-1, 38), text, size, color=INK if answer.text else MUTED, weight=2)
    kind = answer.field.kind.replace("_", " ")
    what = [f"{kind} of {answer.field.country}" if answer.field.country else kind]
    if answer.text:
        what.append(f"confidence {percent(answer.confidence)}")
    if answer.expected is not None:
        what.append(f"expected {answer.expected.text}: {percent(answer.expected.probability)}")
    what.append(f"model {answer.model.name}:{answer.model.version}")
    panel.text((0, 70), "  ·  ".join(what), 14, color=MUTED)
    why = "; ".join(WHY[reason] for reason in answer.reasons)
    panel.text(
        (WIDTH, 70), why, fitting(why, 14, WIDTH - width_of("  ·  ".join(what), 14) - 30), color=DOUBTFUL, anchor="rs"
    )
    return panel


def texts(answer: ReadResponse) -> Panel:
    """The likeliest texts with a bar each; where they differ from the first in orange."""
    best = answer.alternatives
    longest = max((one.text for one in best), key=lambda text: width_of(text, 17))
    size = fitting(longest, 17, 460)
    panel = titled(27 * len(best) + 26, "The likeliest texts", "with the probability that all of the text is right")
    left = max(width_of(longest, size), width_of("anything else", 13)) + 20
    room = WIDTH - left - 80
    rest = max(1 - sum(one.probability for one in best), 0.0)
    for number, (text, share) in enumerate([*((one.text, one.probability) for one in best), ("", rest)]):
        foot = 48 + 27 * number
        if text:
            _compared(panel, (0, foot), text, best[0].text, size)
        else:
            panel.text((0, foot), "anything else", 13, color=MUTED)
        panel.rectangle((left, foot - 13, left + room, foot + 1), FAINT, radius=4)
        color = BLUE if number == 0 else MUTED
        panel.rectangle(
            (left, foot - 13, left + max(room * share, 3), foot + 1), color, radius=min(4, room * share / 2)
        )
        panel.text((WIDTH, foot), percent(share), 14, color=INK if text else MUTED, anchor="rs")
    return panel


def _compared(panel: Panel, at: tuple[float, float], text: str, first: str, size: float) -> None:
    x = at[0]
    for place, char in enumerate(text):
        same = text[: place + 1] == first[: place + 1] or (len(text) == len(first) and first[place] == char)
        x += panel.text((x, at[1]), char, size, color=INK if same else DOUBTFUL, weight=0 if same else 1)


def confidence(answer: ReadResponse) -> Panel:
    """The confidence against the threshold, on a scale of log-odds: where it counts, near 1, it is wide."""
    sure = answer.confidence >= answer.threshold
    how = "reaches" if sure else "is under"
    said = f"{percent(answer.confidence)} {how} the threshold of {percent(answer.threshold)}"
    if answer.target_error is not None:
        said += f", from which on at most {percent(answer.target_error)} of what is accepted should be wrong"
    panel = titled(74, "Confidence and threshold", said)
    color = GOOD if sure else DOUBTFUL
    top, bottom = 54, 68
    panel.rectangle((0, top, WIDTH, bottom), FAINT, radius=7)
    panel.rectangle((0, top, max(_at(answer.confidence), 14), bottom), color, radius=7)
    for tick in (0.01, 0.1, 0.5, 0.9, 0.99, 0.999):
        panel.line([(_at(tick), bottom + 3), (_at(tick), bottom + 8)], MUTED)
        panel.text((_at(tick), bottom + 23), f"{100 * tick:g} %", 12, color=MUTED, anchor="ms")
    threshold = min(max(_at(answer.threshold), 1), WIDTH - 1)
    panel.line([(threshold, top - 6), (threshold, bottom + 6)], INK, 2)
    panel.text((min(max(threshold, 30), WIDTH - 30), top - 10), "threshold", 12, color=INK, anchor="ms")
    return panel


def _at(probability: float) -> float:
    """Where a probability lies on the scale, which goes from 0.1 % to 99.99 %."""
    low, high = math.log(0.001 / 0.999), math.log(0.9999 / 0.0001)
    inside = min(max(probability, 0.001), 0.9999)
    return WIDTH * (math.log(inside / (1 - inside)) - low) / (high - low)
