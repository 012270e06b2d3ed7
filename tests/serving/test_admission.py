"""The door's bounds."""

import pytest

from app.errors import QueueFull
from app.serving.admission import Admission, Bounds


class MODEL:
    """What requests hold."""

    held = 0


def held(door: Admission) -> tuple[int, int, int]:
    return door.pictures, door.pixels, door.body_bytes


@pytest.fixture
def door() -> Admission:
    return Admission(Bounds(pictures=10, pixels=1000, body_bytes=100))


@pytest.mark.parametrize(
    ("first", "second"),
    [({"pictures": 9}, {"pictures": 2}), ({"pixels": 900}, {"pixels": 101}), ({"body_bytes": 90}, {"body_bytes": 11})],
)
def test_the_door_refuses_above_each_bound_and_recovers(door, first, second):
    """What doesn't fit beside another request is refused with the evidence, leaves nothing, and fits afterwards."""
    with door.admit(MODEL) as one:
        one.reserve(**({"pictures": 1} | first))
        before = held(door)
        with door.admit(MODEL) as two, pytest.raises(QueueFull) as refused:
            two.reserve(**second)
        assert held(door) == before
        assert refused.value.headers == {"Retry-After": "1"}
        assert refused.value.details["limits"] == {"pictures": 10, "pixels": 1000, "body_bytes": 100}
    with door.admit(MODEL) as two:
        two.reserve(**second)
    assert held(door) == (0, 0, 0)


def test_a_full_door_refuses_before_a_body_is_read(door):
    """When not one picture more can be taken there is no ticket at all."""
    with door.admit(MODEL) as ticket:
        ticket.reserve(pictures=10)
        with pytest.raises(QueueFull):
            door.admit(MODEL)
    door.admit(MODEL)


def test_an_idle_worker_admits_what_is_larger_than_its_queue(door):
    """A request that has the worker to itself is within the limits of size, and so it is served."""
    with door.admit(MODEL) as alone:
        for _ in range(3):
            alone.reserve(pictures=100, pixels=10_000, body_bytes=1000)
        with pytest.raises(QueueFull):
            door.admit(MODEL)
    assert held(door) == (0, 0, 0)


def test_callers_that_never_finish_a_body_keep_nobody_out(door):
    """Ninety-nine tickets without a whole picture leave the door open."""
    tickets = [door.admit(MODEL) for _ in range(99)]  # more than the ten pictures that the queue takes
    for ticket in tickets:
        ticket.reserve(body_bytes=1)
    with door.admit(MODEL) as normal:
        normal.reserve(body_bytes=1)
        normal.reserve(pictures=1, pixels=784)
        assert held(door) == (1, 784, 100)
