"""From what is asked of one field to what is answered: the same over HTTP and on the command line."""

from collections.abc import Mapping
from typing import Any

from app.fields import reader
from app.fields.calibration import FieldCalibration
from app.fields.formats import FieldFormat, field_format
from app.fields.reader import Proposal, Reading
from app.imaging import DecodeLimits, decode_probed, probe
from app.serving.field_options import TARGET_ERROR, FieldOptions


def format_of(asked: FieldOptions, allowed: str | None) -> FieldFormat:
    """What the field may hold; `allowed` are the strings that may occur, one a line.

    Raises InvalidParameter and CountryNotSupported.
    """
    return field_format(
        asked.kind,
        country=asked.country,
        length=asked.length,
        min_length=asked.min_length,
        max_length=asked.max_length,
        pattern=asked.pattern,
        check=asked.check,
        allowed=None if allowed is None else tuple(allowed.splitlines()),
        expected=asked.expected,
    )


def proposal_of(data: bytes, limits: DecodeLimits) -> Proposal:
    """The candidates of an encoded picture. Raises ImageTooLarge, UnsupportedMediaType, InvalidImage."""
    container = probe(data, limits)
    picture = decode_probed(container)
    height, width = picture.shape
    size = (container.width, container.height)
    if (width > height) != (container.width > container.height):  # an EXIF turn
        size = (container.height, container.width)
    return reader.propose(picture, size)


def refusals(reading: Reading, threshold: float) -> list[str]:
    """Why a reading is not accepted at a threshold (0..1); empty when it is."""
    reasons: list[str] = list(reading.reasons)
    if "blank" not in reasons and "no_digits" not in reasons and reading.confidence < threshold:
        reasons.append("low_confidence")
    return reasons


def read_response(
    reading: Reading,
    proposal: Proposal,
    field: FieldFormat,
    asked: FieldOptions,
    *,
    weights: FieldCalibration,
    model: Mapping[str, str],
) -> dict[str, Any]:
    """The wire's `ReadResponse`; `model` is its `ModelRef`."""
    target_error = None
    threshold = asked.threshold
    if threshold is None:
        target_error = TARGET_ERROR if asked.target_error is None else asked.target_error
        threshold = weights.threshold(target_error)
    reasons = refusals(reading, threshold)
    found = {
        "text": reading.text,
        "accepted": not reasons,
        "confidence": reading.confidence,
        "reasons": reasons,
        "alternatives": [{"text": one.text, "probability": one.probability} for one in reading.alternatives],
        "characters": [
            {
                "char": one.char,
                "probability": one.probability,
                "box": one.box,
                "alternatives": [{"char": other.text, "probability": other.probability} for other in one.alternatives],
            }
            for one in reading.characters
        ],
        "threshold": threshold,
        "target_error": target_error,
        "field": {"kind": field.kind, "country": field.country, "valid": reading.valid},
        "image": {
            "width": proposal.width,
            "height": proposal.height,
            "polarity": proposal.line.polarity,
            "skew_degrees": proposal.line.skew_degrees,
            "slant_degrees": proposal.line.slant_degrees,
        },
        "model": model,
    }
    if field.expected is not None:
        found["expected"] = {"text": field.expected, "probability": reading.expected}
    if asked.debug:
        found["debug"] = reading.graph
    return found
