"""How long a call may take, and whether and when it is tried again: never after its deadline."""

import random
import time
from collections.abc import Callable
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from lenet5_client.errors import ConnectionFailed, DeadlineExceeded, Lenet5Error

LONGEST = 86_400.0  # seconds that the service takes for a deadline
FIRST_PAUSE, LONGEST_PAUSE = 0.1, 5.0  # seconds between tries on average, doubled from the one to the other
REPEATED = frozenset({429, 503})
"""HTTP statuses after which the same request may succeed: predicting and reading change nothing."""


class Patience:
    """What is left of one call's time."""

    def __init__(self, seconds: float, clock: Callable[[], float] = time.monotonic) -> None:
        """Raises ValueError for seconds that are no deadline."""
        if not 0 < seconds <= LONGEST:
            raise ValueError(f"A timeout is more than 0 and at most {LONGEST:.0f} seconds, not {seconds}.")
        self.seconds = seconds
        self._clock = clock
        self._end = clock() + seconds
        self._pause = FIRST_PAUSE

    @property
    def left(self) -> float:
        """Seconds."""
        return self._end - self._clock()

    def pause(self, error: Exception) -> float | bool:
        """Seconds to wait before the next try, or False for none: stamina's backoff hook.

        With jitter, so that callers who were refused together do not come back together.
        """
        if not isinstance(error, ConnectionFailed) and getattr(error, "status", None) not in REPEATED:
            return False
        pause = self._pause * random.uniform(0.5, 1.5)  # noqa: S311 - nobody gains by guessing it
        self._pause = min(2 * self._pause, LONGEST_PAUSE)
        if isinstance(error, Lenet5Error) and error.retry_after is not None:
            pause += error.retry_after
        return pause if pause < self.left else False

    def exceeded(self, request_id: str) -> DeadlineExceeded:
        """The error of a call whose time is over."""
        return DeadlineExceeded(
            f"No answer came within {self.seconds:g} seconds.",
            details={"seconds": self.seconds},
            request_id=request_id,
        )


def seconds_to_wait(retry_after: str | None) -> float | None:
    """What the header Retry-After says, in seconds or as a date (RFC 9110); None for nothing that can be understood."""
    if retry_after is None:
        return None
    try:
        return max(0.0, float(retry_after) if retry_after.isdecimal() else _until(retry_after))
    except ValueError:
        return None


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    return (moment.replace(tzinfo=moment.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
