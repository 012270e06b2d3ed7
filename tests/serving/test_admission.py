"""The door's bounds."""

import pytest

from app.errors import QueueFull
from app.serving.admission import Admission


def test_the_door_refuses_above_its_bound_and_recovers():
    """The third picture is refused while two are under way, and taken once one is answered."""
    door = Admission(max_pictures=2, max_pixels=1000)
    with door.admit():
        second = door.admit()
        with pytest.raises(QueueFull) as refused:
            door.admit()
        assert refused.value.headers == {"Retry-After": "1"}
        assert refused.value.details["pictures"] == refused.value.details["max_pictures"] == 2
        with second:
            pass
        with door.admit():
            pass
    assert (door.pictures, door.pixels) == (0, 0)


def test_pixels_are_bounded_as_pictures_are():
    """A large picture is refused while another holds the pixels, and nothing of the refused one stays."""
    door = Admission(max_pictures=10, max_pixels=1000)
    with door.admit() as first:
        first.reserve(pixels=900)
        with pytest.raises(QueueFull), door.admit() as second:
            second.reserve(pixels=200)
        assert (door.pictures, door.pixels) == (1, 900)


def test_an_idle_worker_admits_what_is_larger_than_its_queue():
    """A request that has the worker to itself is within the limits of size, and so it is served."""
    door = Admission(max_pictures=2, max_pixels=1000)
    with door.admit() as alone:
        alone.reserve(pictures=255, pixels=5000)
        with pytest.raises(QueueFull):
            door.admit()
    assert (door.pictures, door.pixels) == (0, 0)


def test_a_bulk_request_is_taken_whole_or_not_at_all():
    """When its pictures don't fit beside what is under way, the refusal leaves the door as it was."""
    door = Admission(max_pictures=10, max_pixels=1000)
    with door.admit():
        with pytest.raises(QueueFull), door.admit() as bulk:
            bulk.reserve(pictures=9)
        assert door.pictures == 1
