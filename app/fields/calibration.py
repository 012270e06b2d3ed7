"""From the posterior of a string to a confidence that means what it says, and the constants that its scores need."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Self


@dataclass(frozen=True, kw_only=True)
class FieldCalibration:
    """What was fitted on development data. Raises ValueError when a value cannot be.

    The defaults are a network's scores taken as they are.
    """

    temperature: float = 1.0  # the network's log-odds are divided by it
    skipped: float = -3.0  # log-odds of a candidate that is neither a digit nor a mark and is skipped
    mark: float = 2.0  # log-odds of a candidate that has the place and size of a mark

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) not in (int, float) or not abs(value) <= 1e6:
                raise ValueError(f"{field.name} is {value!r}, not a number")
        if self.temperature <= 0:
            raise ValueError(f"temperature is {self.temperature!r}, not above 0")

    def confidence(self, posterior: float) -> float:
        """The probability that a string of this posterior (0..1) is right."""
        return posterior

    def threshold(self, target_error: float) -> float:
        """The confidence from which on at most this share (0..1) of what is accepted is wrong."""
        return 1 - target_error

    def to_dict(self) -> dict[str, Any]:
        """As manifest.json holds it."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The opposite of `to_dict`. Raises ValueError when a key is unknown, or a value cannot be."""
        if unknown := sorted(set(values) - {field.name for field in fields(cls)}):
            raise ValueError(f"it has unknown keys: {', '.join(unknown)}")
        return cls(**values)
