"""A model that is served learns somebody's own digits, and does not forget the old ones."""

from training.fine_tuning.export import export
from training.fine_tuning.options import Options
from training.fine_tuning.run import FineTuned, fine_tune

__all__ = ["FineTuned", "Options", "export", "fine_tune"]
