"""Somebody's own digits: class folders of pictures, a CSV of paths and labels, or a pair of IDX files."""

from training.own.digits import NOT_A_DIGIT, OwnDigits, Skipped
from training.own.read import read

__all__ = ["NOT_A_DIGIT", "OwnDigits", "Skipped", "read"]
