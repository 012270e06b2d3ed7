"""What libraries in C print: thrown away while we serve.

libtiff and libpng print a line on standard error about each broken picture. Hostile callers may send as many as they
like, and where nobody reads them, into a pipe that is full, the write blocks the event loop for ever.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

STANDARD_ERROR = 2  # the file descriptor that C writes to


@contextmanager
def quiet_natives() -> Iterator[None]:
    """In the block Python's standard error goes where it went, and what else is written to that descriptor nowhere."""
    python, own = sys.stderr, os.dup(STANDARD_ERROR)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        with os.fdopen(os.dup(own), "w", buffering=1, errors="backslashreplace") as stream:
            sys.stderr = stream
            os.dup2(nowhere, STANDARD_ERROR)
            yield
    finally:
        sys.stderr = python
        os.dup2(own, STANDARD_ERROR)
        os.close(own)
        os.close(nowhere)
