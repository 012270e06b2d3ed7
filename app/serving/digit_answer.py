"""From what is asked of one digit to what is answered: the same over HTTP and on the command line."""

from collections.abc import Mapping
from typing import Any

from app.errors import InvalidParameter
from app.serving.classification import Classification
from app.serving.digit_options import DigitRequest
from app.serving.models import DigitModel


def threshold_of(asked: DigitRequest, model: DigitModel) -> float | None:
    """The confidence from which digits are accepted, None for the model's own. Raises InvalidParameter."""
    if asked.target_error is None:
        return asked.threshold
    try:
        return model.calibration.threshold_for(asked.target_error)
    except ValueError:
        raise InvalidParameter(
            f"The model {model.name}:{model.version} has no calibration, so target_error cannot be met; "
            "give threshold.",
            parameter="target_error",
        ) from None


def prediction(result: Classification, model: Mapping[str, str]) -> dict[str, Any]:
    """The wire's `Prediction`, built by hand: validating our own answers through pydantic would cost more than them.

    `model` is its `ModelRef`.
    """
    return {
        "digit": result.digit,
        "confidence": result.confidence,
        "probabilities": result.probabilities,
        "accepted": result.accepted,
        "reasons": result.reasons,
        "model": model,
    }
