"""What the fixture `small` is made from, and what it is."""

from dataclasses import dataclass
from pathlib import Path

SMALL = """
name = "small"
model = "lenet5-small"
ship = false
input = "standardised"
[data]
limit = 1500
validation_digits = 300
[recipe]
epochs = 3
batch_size = 32
learning_rate = 3e-3
"""


@dataclass(frozen=True)
class Small:
    """Where the small run's config, checkpoint and model lie."""

    config: Path
    runs: Path
    model: Path
