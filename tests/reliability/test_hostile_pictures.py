"""Promise 6: a picture that was spoilt is read or refused, and what raises or ends the process is noticed."""

import pytest

from benchmarks.reliability.hostile import worker
from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.reading import naive, ours
from benchmarks.reliability.hostile.seeds import seeds
from benchmarks.reliability.promise import Ask
from benchmarks.reliability.promises import hostile_requests

CASES = range(600)


def test_every_seed_is_an_honest_picture() -> None:
    """What mutations start from can be read, in more than fifty variants."""
    assert len(seeds()) > 50
    assert all(ours(seed, 0) for seed in seeds())


def test_a_mutation_is_known_by_its_number() -> None:
    """The same number is the same picture, in every process; another is another."""
    pictures = [mutated(case, 1, seeds()) for case in CASES]
    assert pictures == [mutated(case, 1, seeds()) for case in CASES]
    assert len(set(pictures)) > 0.9 * len(CASES)


def test_mutated_pictures_are_read_or_refused() -> None:
    """None raises what would be answered 500, and some can still be read."""
    assert sum(ours(mutated(case, 1, seeds()), case) for case in CASES) > len(CASES) // 20


def test_the_control_does_raise() -> None:
    """Pillow's defaults raise what its documentation does not name, on the same pictures."""

    def raises(case: int) -> bool:
        try:
            naive(mutated(case, 1, seeds()), case)
        except Exception:  # noqa: BLE001 - any
            return True
        return False

    with pytest.warns():
        assert any(raises(case) for case in CASES)


def test_a_process_that_ends_is_a_fault_of_its_picture() -> None:
    """Where the process is gone the picture that it was at is named, and the next process goes on behind it."""
    found = worker.run("no such reader", 0, 5, 2)
    assert found.faults == 2
    assert [note.split(" ended")[0] for note in found.notes] == ["picture 5", "picture 6"]


def test_what_a_process_finds_is_told() -> None:
    """A process of its own tells how many could be read and how long the slowest took."""
    found = worker.run("ours", 0, 0, 40)
    assert (found.faults, found.slope) == (0, None)
    assert 0 < found.read < 40
    assert found.slowest > 0


def test_over_http_each_gets_an_answer_of_ours() -> None:
    """A running service answers 200 or 4xx to each, on one connection, and is there at the end."""
    assert hostile_requests.PROMISE.keep(Ask(200)).notes == ()
