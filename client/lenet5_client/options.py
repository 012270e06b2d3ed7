"""What may be asked of a picture: the keyword arguments of the calls, under the service's own names.

An option that is left out, or None, is the service's default.
"""

from collections.abc import Mapping, Sequence
from typing import TypedDict

from lenet5_client.schemas import CheckDigit, FieldKind


class DigitOptions(TypedDict, total=False):
    """Of one digit."""

    model: str | None
    """`name` or `name:version`."""
    threshold: float | None
    """Accept digits of at least this confidence (0..1); by default the model's own threshold."""
    target_error: float | None
    """Accept so much that at most this share of it is wrong (0..1). Not together with `threshold`."""


class FieldOptions(TypedDict, total=False):
    """Of one field, one line of digits."""

    kind: FieldKind | None
    """What the field holds; `digits` by default."""
    country: str | None
    """Of a postal code, and needed for one: ISO 3166-1 alpha-2."""
    length: int | None
    """How many digits there are."""
    min_length: int | None
    max_length: int | None
    pattern: str | None
    """Of digits, such as `##-####`: instead of a length."""
    check: CheckDigit | None
    """Of digits: only numbers whose check digit is right are read."""
    expected: str | None
    """A text whose probability is wanted."""
    n_best: int | None
    """How many alternatives at most; 5 by default."""
    debug: bool | None
    """Answer with the segmentation graph too."""
    target_error: float | None
    """Accept so much that at most this share of it is wrong (0..1); 0.01 by default. Not together with `threshold`."""
    threshold: float | None
    """Accept texts of at least this confidence (0..1)."""


class ReadOptions(FieldOptions, total=False):
    """Of one call, which may be of many fields."""

    allowed: Sequence[str] | None
    """The texts that may occur: no other is read."""
    model: str | None
    """`name` or `name:version`."""


def checked(options: Mapping[str, object], known: type) -> dict[str, object]:
    """What is said in options of a kind; raises TypeError for a name that is none: the service would ignore it."""
    unknown = sorted(set(options) - set(known.__annotations__))
    if unknown:
        raise TypeError(f"There is no option {unknown[0]!r}; there are {', '.join(known.__annotations__)}.")
    return {name: value for name, value in options.items() if value is not None}
