"""Long lists: order, bounds, generators, progress, and an end that comes early."""

import asyncio
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from faults import JSON, PREDICTION, Answering, refusal
from lenet5_client import AsyncClient, Client
from lenet5_client.errors import InvalidAnswer, QueueFull, Unauthorized
from lenet5_client.many import DIGITS, FIELDS
from lenet5_client.schemas import Prediction
from running import until

SEVEN = Path(__file__).parents[2] / "examples" / "7.png"


def test_requests_of_a_list_are_bounded(answering: Callable[..., Answering]) -> None:
    """Never more than `concurrency` are under way, and so many are."""
    server = answering(refusal(422, "invalid_image"))
    server.seconds = 0.05  # that each takes, so that they meet
    with Client(server.url, concurrency=3) as client:
        assert len(client.read_many([SEVEN] * 12 * FIELDS)) == 12 * FIELDS
    assert max(request.at_once for request in server.requests) == 3


def test_an_answer_for_another_number_of_pictures_is_none(answering: Callable[..., Answering]) -> None:
    """Results are never put at the wrong place."""
    server = answering((200, JSON, b'{"results":[],"model":{"name":"lenet5","version":"1"}}'))
    with Client(server.url) as client:
        assert [type(result) for result in client.predict_many([SEVEN, SEVEN])] == [InvalidAnswer] * 2


def test_what_progress_raises_ends_the_list(answering: Callable[..., Answering]) -> None:
    """It comes through as it is, for both clients, and nothing more is sent."""
    server = answering(refusal(422, "invalid_image"))

    def stop(done: int, total: int) -> None:
        raise KeyError(done)

    async def asynchronously() -> None:
        async with AsyncClient(server.url, concurrency=1) as client:
            await client.read_many([SEVEN] * 200, progress=stop)

    with pytest.raises(KeyError):
        asyncio.run(asynchronously())
    assert len(server.requests) == 1
    with Client(server.url, concurrency=1) as client, pytest.raises(KeyError):
        client.read_many([SEVEN] * 200, progress=stop)
    assert len(server.requests) < 200


def test_a_generator_is_read_in_the_callers_thread_as_its_turn_comes(answering: Callable[..., Answering]) -> None:
    """No further than the batches under way: a million files are not all in memory."""
    server = answering(refusal(422, "invalid_image"))
    server.seconds = 0.01  # that each takes
    ahead: list[int] = []
    threads = set()

    def pictures() -> Iterator[bytes]:
        for place in range(40 * DIGITS):
            ahead.append(place - DIGITS * (len(server.requests) - server.under_way))
            threads.add(threading.get_ident())
            yield b"picture"

    with Client(server.url, concurrency=2) as client:
        assert len(client.predict_many(pictures())) == 40 * DIGITS
    assert max(ahead) <= 3 * DIGITS
    assert threads == {threading.get_ident()}


@pytest.mark.parametrize("where", ["here", "in asyncio"])
def test_what_a_generator_raises_ends_the_list(answering: Callable[..., Answering], where: str) -> None:
    """As it is, and the generator is closed."""
    server = answering(refusal(422, "invalid_image"))
    closed = []

    def pictures() -> Iterator[bytes]:
        try:
            for _ in range(2 * DIGITS):
                yield b"picture"
            raise KeyError("the third")
        finally:
            closed.append(True)

    def here() -> None:
        with Client(server.url) as client:
            client.predict_many(pictures())

    async def asynchronously() -> None:
        async with AsyncClient(server.url) as client:
            await client.predict_many(pictures())

    with pytest.raises(KeyError, match="the third"):
        here() if where == "here" else asyncio.run(asynchronously())
    assert closed


def test_a_list_that_is_given_up_sends_no_more(answering: Callable[..., Answering]) -> None:
    """Cancelled, an async list ends with all its requests, and the client serves on."""
    server = answering(*[refusal(422, "invalid_image")] * 3, PREDICTION)
    server.seconds = 0.2  # that each takes

    async def ask() -> int:
        async with AsyncClient(server.url, concurrency=2) as client:
            task = asyncio.create_task(client.predict_many([b"picture"] * 100 * DIGITS))
            await asyncio.to_thread(until, lambda: len(server.requests) >= 3)
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            before = len(server.requests)
            digit = (await client.predict(b"picture")).digit
            assert before + 1 <= len(server.requests) <= before + 2  # one may have been on its way
            assert len(asyncio.all_tasks()) == 1
            return digit

    assert asyncio.run(ask()) == 7


def test_what_is_refused_of_a_batch_stands_at_each_of_its_places(answering: Callable[..., Answering]) -> None:
    """One batch that stays refused takes nothing from those before and after it."""
    results = b'{"results":[' + b",".join([PREDICTION[2]] * DIGITS) + b'],"model":{"name":"lenet5","version":"1"}}'
    answered = (200, JSON, results)
    server = answering(answered, refusal(429, "queue_full"), answered)
    told: list[tuple[int, int | None]] = []
    with Client(server.url, attempts=1, concurrency=1) as client:
        found = client.predict_many([b"picture"] * 3 * DIGITS, progress=lambda *step: told.append(step))
    kinds = [type(one) for one in found]
    assert kinds == [Prediction] * DIGITS + [QueueFull] * DIGITS + [Prediction] * DIGITS
    assert told == [(DIGITS * batch, 3 * DIGITS) for batch in (1, 2, 3)]


def test_a_wrong_key_is_said_at_each_place_and_not_sent_again(answering: Callable[..., Answering]) -> None:
    """Alone it is raised."""
    server = answering(refusal(401, "unauthorized"))
    with Client(server.url, api_key="wrong") as client:
        assert [type(one) for one in client.read_many([SEVEN] * 2)] == [Unauthorized] * 2
        with pytest.raises(Unauthorized):
            client.models()
    assert len(server.requests) == 2
