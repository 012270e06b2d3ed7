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

FieldKind = Literal["digits", "postal_code", "amount"]
"""What a field holds."""

CheckDigit = Literal["aba", "luhn", "ean", "mod_11_10"]
"""How the check digit of a number is found: that of ABA routing numbers, of cards, of GS1, of ISO/IEC 7064."""


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


class Alternative(Wire):
    """A text that may be meant."""

    text: str
    probability: float = Field(ge=0, le=1)


class CharacterAlternative(Wire):
    """A character that may stand at a place."""

    char: str
    probability: float = Field(ge=0, le=1)


class Character(Wire):
    """One character of a field's text."""

    char: str
    probability: float = Field(
        ge=0,
        le=1,
        description=(
            "Of this character at this place, out of all that the picture may say, cut as it may be; so never less "
            "than that of the whole text."
        ),
    )
    box: tuple[int, int, int, int] = Field(description="x, y, width and height in the pixels of the picture sent.")
    alternatives: list[CharacterAlternative]


class ExpectedText(Wire):
    """How likely the string is that the caller expected."""

    text: str
    probability: float = Field(ge=0, le=1)


class FieldInfo(Wire):
    """What was asked for."""

    kind: FieldKind
    country: str | None = Field(None, description="Of a postal code.")
    valid: bool = Field(description="Whether `text` is one that the field may hold; an empty one is not.")


class FieldImage(Wire):
    """What was found out of the picture as a whole."""

    width: int = Field(description="Pixels of the picture sent, upright.")
    height: int
    polarity: Literal["dark_on_light", "light_on_dark"]
    skew_degrees: float = Field(description="The line falls to the right by so much.")
    slant_degrees: float = Field(description="The characters lean to the right by so much.")


class ReadResponse(Wire):
    """The answer of `/read`: what the picture of one field says."""

    model_config = ConfigDict(
        json_schema_extra={
            "example": {
                "text": "90210",
                "accepted": True,
                "confidence": 0.987,
                "reasons": [],
                "alternatives": [{"text": "90210", "probability": 0.987}, {"text": "90270", "probability": 0.006}],
                "characters": [
                    {
                        "char": "9",
                        "probability": 0.998,
                        "box": [12, 8, 21, 40],
                        "alternatives": [{"char": "9", "probability": 0.998}],
                    }
                ],
                "threshold": 0.93,
                "target_error": 0.01,
                "field": {"kind": "postal_code", "country": "US", "valid": True},
                "image": {
                    "width": 140,
                    "height": 52,
                    "polarity": "dark_on_light",
                    "skew_degrees": 1.4,
                    "slant_degrees": 12.0,
                },
                "model": {"name": "lenet5-field", "version": "1"},
            }
        }
    )

    text: str = Field(
        description=(
            "Digits only, but for an amount: that is in plain decimal form where the picture shows cents, and whole "
            "digits where it shows none. Empty where nothing can be read."
        )
    )
    accepted: bool = Field(description="False when anything speaks against the text: see `reasons`.")
    confidence: float = Field(ge=0, le=1, description="The probability that all of `text` is right.")
    reasons: list[Reason] = Field(description="Why it was not accepted.")
    alternatives: list[Alternative] = Field(description="The likeliest texts, `text` first; at most `n_best`.")
    characters: list[Character] = Field(description="The characters of `text`, in order.")
    threshold: float = Field(description="A confidence of at least so much is accepted.")
    target_error: float | None = Field(description="The share of errors that the threshold was chosen for, if any.")
    field: FieldInfo
    image: FieldImage
    expected: ExpectedText | None = Field(None, description="Of the expected string, where there is one.")
    debug: dict[str, Any] | None = Field(None, description="The segmentation graph, where it is asked for.")
    model: ModelRef


class BatchReadResponse(Wire):
    """The answer of `/read/batch`: one result a picture, in the order they were sent."""

    results: list[ReadResponse | ErrorBody]
    model: ModelRef


class TargetThreshold(Wire):
    """Of what is accepted from this confidence on, at most this share is wrong."""

    target_error: float
    threshold: float


class ModelInfo(Wire):
    """One model that is served."""

    name: str
    version: str
    task: Literal["digit", "field"]
    default: bool = Field(description="Whether requests of this task that name no model get this one.")
    sha256: str = Field(description="The SHA-256 of model.safetensors.")
    preprocessing: str = Field(description="Names the form of the input that the model was trained on.")
    metrics: dict[str, Any]
    thresholds: dict[str, list[TargetThreshold]] = Field(
        default_factory=dict,
        description=(
            "The confidence that keeps to each target error, by ascending errors: of `digit`, or of each kind of "
            "field. Without a calibration there are none."
        ),
    )


class ModelList(Wire):
    """The answer of `/models`."""

    models: list[ModelInfo]


class Health(Wire):
    """The answer of `/health/live` and, when ready, of `/health/ready`."""

    status: Literal["live", "ready"]
