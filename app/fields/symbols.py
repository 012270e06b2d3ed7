"""What a candidate of the segmentation graph may be read as."""

from typing import Final

SYMBOLS: Final = "0123456789.,-/$"
"""Ten digits, four marks, and `$` for whatever is skipped: a currency sign, `*`, `#`, `=`."""

DIGITS: Final = 10
"""The first symbols are digits; only they get into a text."""
