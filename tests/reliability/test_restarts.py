"""Promise 1: what is under way, and whoever has connected, is answered when the service is told to end."""

import pytest

from benchmarks.reliability.promises import restarts


@pytest.mark.parametrize("workers", restarts.WORKERS)
def test_whoever_has_connected_is_answered(workers: int) -> None:
    """A thousand connections, many of them not accepted yet; what never ends gets 503; the exit code is 0."""
    command = restarts.ours(f"--drain-timeout={restarts.DRAIN_TIMEOUT}", f"--workers={workers}")
    assert restarts.in_flight(command, restarts.IN_FLIGHT) == ([], 0)
