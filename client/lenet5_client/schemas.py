"""The JSON that the service answers with, as pydantic models.

The keys are a contract: more may be added, none changes its meaning, so a reader ignores keys it does not know.
"""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

Reason = Literal[
    "blank",
    "too_small",
    "low_contrast",
    "not_a_digit",
    "low_confidence",
    "ambiguous_cut",
    "no_digits",
    "length_mismatch",
    "format_invalid",
]
"""Why a picture was not accepted: a closed list."""


class Wire(BaseModel):
    """A frozen value read from, or written to, the wire."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class ModelRef(Wire):
    """The model that answered."""

    name: str
    version: str


class ErrorDetail(Wire):
    """What went wrong."""

    code: str = Field(description="Stable and machine-readable; the documentation lists them all.")
    message: str = Field(description="One sentence that a person can act on.")
    details: dict[str, Any] = Field(default_factory=dict, description="The evidence: limits, and what was found.")


class ErrorBody(Wire):
    """The body of every 4xx and 5xx answer, and the place of a bad picture in a batch's results."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "error": {
                    "code": "image_too_large",
                    "message": "The picture has more than 16000000 pixels.",
                    "details": {"limit": 16_000_000, "actual": 20_000_000, "unit": "pixels"},
                }
            }
        }
    )

    error: ErrorDetail


class Digit(Wire):
    """What the network says of one picture."""

    digit: int = Field(ge=0, le=9, description="The argmax of `probabilities`.")
    confidence: float = Field(
        ge=0,
        le=1,
        description=(
            "The probability that `digit` is right, `no digit at all` counted in; so at most the largest of "
            "`probabilities`. Fitted to digits that the model had not seen, where the model has a calibration; of one "
            "without, the softmax as the network gives it, which may promise too much."
        ),
    )
    probabilities: list[float] = Field(
        min_length=10, max_length=10, description="Of the ten digits, given that the picture is one; they sum to 1."
    )
    accepted: bool = Field(
        description="False when the confidence is under the threshold, or the picture is no digit: see `reasons`."
    )
    reasons: list[Reason] = Field(description="Why it was not accepted.")


class Prediction(Digit):
    """The answer of `/predict`."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "digit": 7,
                "confidence": 0.9981,
                "probabilities": [0.0, 0.001, 0.0, 0.0, 0.0, 0.0, 0.0, 0.9988, 0.0, 0.0002],
                "accepted": True,
                "reasons": [],
                "model": {"name": "lenet5", "version": "1"},
            }
        }
    )

    model: ModelRef


class BatchPrediction(Wire):
    """The answer of `/predict/batch`: one result a picture, in the order they were sent."""

    results: list[Prediction | ErrorBody]
    model: ModelRef


class ModelInfo(Wire):
    """One model that is served."""

    name: str
    version: str
    task: Literal["digit", "field"]
    default: bool = Field(description="Whether requests of this task that name no model get this one.")
    sha256: str = Field(description="The SHA-256 of model.safetensors.")
    preprocessing: str = Field(description="Names the form of the input that the model was trained on.")
    metrics: dict[str, Any]


class ModelList(Wire):
    """The answer of `/models`."""

    models: list[ModelInfo]


class Health(Wire):
    """The answer of `/health/live` and, when ready, of `/health/ready`."""

    status: Literal["live", "ready"]
