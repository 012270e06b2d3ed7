"""What a field may hold, from what a caller says of it: its kind, and what else is known."""

from app.fields.formats.check import Check
from app.fields.formats.field import FieldFormat, Kind, anything, field_format

__all__ = ["Check", "FieldFormat", "Kind", "anything", "field_format"]
