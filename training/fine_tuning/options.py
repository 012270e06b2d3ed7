"""How a model is fine-tuned."""

from dataclasses import dataclass

from training.errors import ConfigError


@dataclass(frozen=True)
class Options:
    """The recipe; docs/fine_tuning.md says what chose the defaults. Raises ConfigError when a value cannot be."""

    held_out: float = 0.2  # share of the own pictures that choose the epoch; they are not learnt from
    epochs: int = 6
    batch_size: int = 64  # pictures
    learning_rate: float = 1e-3  # of Adam, at its highest
    average: float = 0.998  # decay, per step, of the exponential average of the weights that is kept; 0: the last ones
    rehearsal: int = 20_000  # old pictures an epoch
    own_share: float = 0.3  # of the pictures of an epoch: the own ones are shown again and again for that,
    most_copies: int = 10  # but not more often than this
    max_forgetting: float = 0.1  # percentage points by which the error on the old held-out digits may rise
    max_rubbish_forgetting: float = 5.0  # the same of what is no digit, which often is a matter of opinion
    seed: int = 0
    threads: int = 1  # of the CPU; part of what makes a run repeatable to the last bit

    def __post_init__(self) -> None:
        for key in ("epochs", "batch_size", "rehearsal", "most_copies", "threads"):
            if getattr(self, key) < 1:
                raise ConfigError(f"{key} is {getattr(self, key)}, which is under 1")
        for key, high in (("held_out", 0.5), ("own_share", 0.9), ("learning_rate", 1.0)):
            if not 0 < getattr(self, key) <= high:
                raise ConfigError(f"{key} is {getattr(self, key)}, not above 0 and at most {high}")
        if not 0 <= self.average < 1:
            raise ConfigError(f"average is {self.average}, not from 0 and under 1")
        for key in ("max_forgetting", "max_rubbish_forgetting", "seed"):
            if not getattr(self, key) >= 0:
                raise ConfigError(f"{key} is {getattr(self, key)}, not a number from 0")
