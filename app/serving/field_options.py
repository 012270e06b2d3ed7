"""What may be asked of one field, defined once: the query of /read, a batch's own options, the flags of `lenet5 read`.

It imports nothing heavy, so that the command line can print its help at once.
"""

from typing import Annotated, Final, Self

from lenet5_client.schemas import CheckDigit, FieldKind
from pydantic import BaseModel, ConfigDict, Field, model_validator

from app.errors import InvalidParameter

TARGET_ERROR: Final = 0.01
"""Of a request that says nothing of errors."""

Length = Annotated[int | None, Field(ge=1, le=64)]
Share = Annotated[float | None, Field(ge=0, le=1, allow_inf_nan=False)]


class FieldOptions(BaseModel):
    """What is said of one field. Raises InvalidParameter for what contradicts itself."""

    model_config = ConfigDict(extra="forbid")

    kind: FieldKind = Field("digits", description="What the field holds.")
    country: str | None = Field(
        None, max_length=2, description="Of a postal code, and needed for one: ISO 3166-1 alpha-2."
    )
    length: Length = Field(None, description="How many digits there are.")
    min_length: Length = Field(None, description="The least number of digits; 1 by default.")
    max_length: Length = Field(None, description="The largest number of digits; by default any.")
    pattern: str | None = Field(
        None,
        max_length=300,
        description=(
            "Of digits: `#` any digit, `7` that digit, `[0-3]` one of these, `( | )` one or the other, and `?`, `*`, "
            "`+`, `{3}`, `{2,4}` for how often what stands before; marks such as `-` and `/` may be written and count "
            "for nothing. Instead of a length."
        ),
    )
    check: CheckDigit | None = Field(
        None,
        description=(
            "Of digits: only numbers whose check digit is right are read. `aba`: routing numbers of US cheques; "
            "`luhn`: cards; `ean`: EAN, UPC and GTIN; `mod_11_10`: ISO/IEC 7064."
        ),
    )
    expected: str | None = Field(None, max_length=100, description="A text whose probability is wanted.")
    n_best: int = Field(5, ge=1, le=50, description="How many alternatives at most.")
    debug: bool = Field(False, description="Answer with the segmentation graph too.")
    target_error: Share = Field(
        None,
        description=(
            f"Accept texts of so much confidence that at most this share of what is accepted is wrong; by default "
            f"{TARGET_ERROR}. Not together with `threshold`."
        ),
    )
    threshold: Share = Field(None, description="Accept texts of at least this confidence.")

    @model_validator(mode="after")
    def _one_threshold(self) -> Self:
        if self.threshold is not None and self.target_error is not None:
            raise InvalidParameter("Give threshold or target_error, not both.", parameter="target_error")
        return self


class FieldRequest(FieldOptions):
    """What is said of one field, and by which model it is to be read."""

    model_config = ConfigDict(extra="ignore")

    model: str | None = Field(None, max_length=200, description="`name` or `name:version`.")
