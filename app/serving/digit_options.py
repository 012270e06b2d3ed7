"""What may be asked of one digit, defined once: the query of /predict, the flags of `lenet5 predict`.

It imports nothing heavy, so that the command line can print its help at once.
"""

from typing import Self

from pydantic import BaseModel, Field, model_validator

from app.errors import InvalidParameter


class DigitRequest(BaseModel):
    """What is said of one digit, and by which model it is to be read. Raises InvalidParameter for a contradiction."""

    model: str | None = Field(None, max_length=200, description="`name` or `name:version`.")
    threshold: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description="Accept digits of at least this confidence; by default of the model's own threshold.",
    )
    target_error: float | None = Field(
        None,
        ge=0,
        le=1,
        allow_inf_nan=False,
        description=(
            "Accept digits of so much confidence that at most this share of what is accepted is wrong, as measured on "
            "the digits that the model was calibrated on; 0 accepts nothing. Not together with `threshold`, and 422 "
            "for a model without a calibration."
        ),
    )

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.threshold is not None and self.target_error is not None:
            raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")
        return self
