"""The command line as processes."""

import sys


def command(*arguments: object) -> list[str | bytes]:
    """`lenet5` with arguments; bytes go as they are."""
    return [sys.executable, "-m", "app", *(one if isinstance(one, bytes) else str(one) for one in arguments)]
