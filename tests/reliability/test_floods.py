"""Promise 3: floods are answered, or refused, on their own connection."""

from benchmarks.reliability.network import floods
from benchmarks.reliability.servers import plain_uvicorn, service

SOME = 2_000
HEADER = 1_000_000  # bytes


def test_floods_are_answered_or_refused() -> None:
    """Each of many pipelined requests has its answer, tiny chunks are no picture, and a long header is 431."""
    with service() as running:
        assert floods.requests(running.url, SOME) is None
        assert floods.chunks(running.url, SOME) is None
        assert floods.header(running.url, HEADER) is None


def test_a_server_that_takes_any_header_is_noticed() -> None:
    """Plain uvicorn reads all of it."""
    with plain_uvicorn() as running:
        assert floods.header(running.url, HEADER) == "a header of 1,000,000 bytes: 200"
