"""How slowly a body may come."""

import pytest

from app.api.service import BodyLimits

LIMITS = BodyLimits(max_bytes=1, max_batch_bytes=1, max_batch_pictures=1, max_tensor_rows=1, timeout=10, min_rate=1000)


@pytest.mark.parametrize(
    ("now", "received", "due"),
    [
        (100, 0, 110),  # at the start: within the timeout
        (105, 500, 110.5),  # slower than the rate: what has come earns half a second
        (105, 1_000_000, 115),  # far ahead of the rate: and yet not a whole timeout without a byte
    ],
)
def test_the_next_bytes_are_due_by_the_rate_and_by_the_last_ones(now, received, due):
    """A body that began at 100 must keep up the minimum rate, and never pause for the timeout."""
    assert LIMITS.deadline(100, now, received) == due
