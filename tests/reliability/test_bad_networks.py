"""Promise 18: behind a faulty proxy a client gets its own answer or a clean error, and a hasty one gets another's."""

from benchmarks.reliability.promise import Ask
from benchmarks.reliability.promises.bad_networks import PROMISE


def test_own_answers_or_clean_errors() -> None:
    """The shipped client and a bare one are never given what is not theirs, and most calls are answered."""
    assert PROMISE.broken(PROMISE.keep(Ask(120))) == []


def test_the_control_is_found_out() -> None:
    """A client that asks again on the same connection takes other pictures' answers for its own."""
    assert PROMISE.control(Ask(120)).failures > 10
