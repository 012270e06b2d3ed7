"""The clients with faults between them and the service, and a service that refuses."""

import asyncio
import random
import socket
import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import pytest
from faults import JSON, PREDICTION, Answering, Proxy, refusal
from lenet5_client import AsyncClient, Client
from lenet5_client.errors import (
    ConnectionFailed,
    DeadlineExceeded,
    Draining,
    InternalError,
    InvalidAnswer,
    Lenet5Error,
    NotReady,
    QueueFull,
    RequestError,
)
from lenet5_client.waiting import Patience, seconds_to_wait
from running import Running

SEVEN, ZIP = (Path(__file__).parents[2] / "examples" / name for name in ("7.png", "zip.png"))


@pytest.mark.parametrize("fault", ["drop", "reset", "truncate", "delay"])
def test_a_call_gets_its_answer_through_faults(proxy: Callable[..., Proxy], fault: str) -> None:
    """A connection that is dropped, reset or cut short is tried again, twice too; a slow one is waited for."""
    between = proxy(fault, fault)
    with Client(between.url) as client:
        assert client.predict(SEVEN).digit == 7
    assert between.connections == (1 if fault == "delay" else 3)


def asked(client: Client, pictures: list[bytes]) -> tuple[list[Any], list[Any], list[Any]]:
    """What it says of digits in batches, of fields in batches, and of single digits."""
    return client.predict_many(pictures), client.read_many([ZIP] * 9), [client.predict(one) for one in pictures[:8]]


@pytest.mark.parametrize("seed", range(2))
def test_every_picture_of_a_list_gets_its_answer_through_faults(
    proxy: Callable[..., Proxy], digits: list[bytes], client: Client, seed: int
) -> None:
    """Digits and fields come whole and in order where each connection fails, is slow, or is closed after an answer."""
    chance = random.Random(seed)
    faults = [chance.choice(["drop", "reset", "truncate", "delay", "close", "close"]) for _ in range(200)]
    between = proxy(*faults)
    pictures = digits * 3
    with Client(between.url, timeout=120, attempts=20) as faulty:
        found, read, alone = asked(faulty, pictures)
    expected, text, singly = asked(client, pictures)
    assert [one.digit for one in found] == [one.digit for one in expected]
    assert [one.text for one in read] == [one.text for one in text]
    assert [one.digit for one in alone] == [one.digit for one in singly]
    assert between.connections > 15


def test_a_service_that_starts_late_is_waited_for(service: Running) -> None:
    """Nobody listens at first: a refused connection is tried again until somebody does."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    between: list[Proxy] = []
    late = threading.Timer(0.5, lambda: between.append(Proxy(service.port, [], port=port)))
    late.start()
    with Client(f"http://127.0.0.1:{port}", attempts=20) as client:
        assert client.predict(SEVEN).digit == 7
    late.join()
    between[0].__exit__()


@pytest.mark.parametrize("fault", ["drop", "reset", "truncate"])
def test_a_fault_that_stays_ends_after_the_attempts(proxy: Callable[..., Proxy], fault: str) -> None:
    """After `attempts` tries it is ConnectionFailed, at its place in a list; health is asked but once."""
    between = proxy(*[fault] * 20)
    with Client(between.url, attempts=2) as client:
        with pytest.raises(ConnectionFailed) as raised:
            client.predict(SEVEN)
        assert between.connections == 2
        assert raised.value.request_id
        assert not raised.value.message.endswith(": .")
        assert raised.value.status is None
        assert [type(error) for error in client.read_many([SEVEN])] == [ConnectionFailed]
        assert between.connections == 4
        with pytest.raises(ConnectionFailed):
            client.health()
        assert between.connections == 5


def test_nobody_listening_is_said_with_the_url() -> None:
    """A refused connection names where it went."""
    with Client("http://127.0.0.1:1", attempts=1) as client, pytest.raises(ConnectionFailed, match=r"127\.0\.0\.1:1"):
        client.predict(SEVEN)


@pytest.mark.parametrize("fault", ["hang", "drip"])
def test_a_call_ends_by_its_deadline(proxy: Callable[..., Proxy], fault: str) -> None:
    """A peer that says nothing, or says it byte by byte so that no read takes long, does not keep a call."""
    between = proxy(fault)
    with Client(between.url) as client:
        with pytest.raises(DeadlineExceeded) as raised:
            client.predict(SEVEN, timeout=1)
        assert raised.value.details == {"seconds": 1}
        assert client.predict(SEVEN, timeout=60).digit == 7
    assert between.connections == 2


@pytest.mark.parametrize(("status", "code"), [(429, "queue_full"), (503, "draining"), (503, "not_ready")])
def test_a_refusal_that_may_pass_is_tried_again_after_retry_after(
    answering: Callable[..., Answering], status: int, code: str
) -> None:
    """The second try comes no sooner than the service asked for; both carry one id, the second less time."""
    server = answering(refusal(status, code, Retry_After="1"), PREDICTION)
    with Client(server.url, timeout=60) as client:
        assert client.predict(SEVEN).digit == 7
    first, second = server.requests
    assert second.at - first.at >= 1
    assert first.headers["x-request-id"] == second.headers["x-request-id"]
    assert 60 >= float(first.headers["x-request-timeout"]) >= float(second.headers["x-request-timeout"]) + 1


@pytest.mark.parametrize(
    ("refused", "kind"),
    [
        (refusal(429, "queue_full", Retry_After="60"), QueueFull),
        (refusal(503, "draining", Retry_After="60"), Draining),
        ((503, {"Retry-After": "60"}, b"<html>nobody here</html>"), InvalidAnswer),
    ],
)
def test_nothing_is_waited_for_that_comes_after_the_deadline(
    answering: Callable[..., Answering], refused: tuple[int, dict[str, str], bytes], kind: type[Lenet5Error]
) -> None:
    """Where Retry-After goes past the deadline, the refusal is raised at once and nothing is sent again."""
    server = answering(refused)
    with Client(server.url, timeout=10) as client, pytest.raises(kind) as raised:
        client.predict(SEVEN)
    assert len(server.requests) == 1
    assert raised.value.retry_after == 60
    assert raised.value.status == refused[0]


def test_what_would_fail_again_is_not_sent_again(answering: Callable[..., Answering]) -> None:
    """500, 504 and what is no answer of the service are raised after one try, an unknown code as the base class."""
    for status, body, kind in (
        (301, b"", InvalidAnswer),
        (500, refusal(500, "internal_error")[2], InternalError),
        (504, refusal(504, "deadline_exceeded")[2], DeadlineExceeded),
        (402, refusal(402, "of_another_version")[2], RequestError),
        (502, b"<html>bad gateway</html>", InvalidAnswer),
        (200, b'{"digit": 7}', InvalidAnswer),
    ):
        server = answering((status, {**JSON, "X-Request-ID": "from-there"}, body))
        with Client(server.url) as client, pytest.raises(Lenet5Error) as raised:
            client.predict(SEVEN)
        assert type(raised.value) is kind
        assert (raised.value.status, raised.value.request_id) == (status, "from-there")
        assert len(server.requests) == 1
    assert raised.value.details["body"] == '{"digit": 7}'


def test_a_service_that_is_not_ready_is_asked_once(answering: Callable[..., Answering]) -> None:
    """Whoever asks for the health wants to know how it is now."""
    server = answering(refusal(503, "not_ready"))
    with Client(server.url) as client, pytest.raises(NotReady):
        client.health()
    assert len(server.requests) == 1


def test_keys_and_headers_go_with_every_request(answering: Callable[..., Answering]) -> None:
    """`api_key` is X-API-Key; a bearer's token is a header like any other."""
    server = answering(PREDICTION)
    with Client(server.url, api_key="k1", headers={"Authorization": "Bearer t1"}) as client:
        client.predict(SEVEN)
    (request,) = server.requests
    assert (request.headers["x-api-key"], request.headers["authorization"]) == ("k1", "Bearer t1")


def test_a_cancelled_call_gives_its_connection_back(proxy: Callable[..., Proxy]) -> None:
    """An async call that its caller gave up leaves the client as good as before."""

    async def ask() -> int:
        async with AsyncClient(proxy("hang").url) as client:
            with pytest.raises(TimeoutError):
                async with asyncio.timeout(0.5):
                    await client.predict(SEVEN)
            return (await client.predict(SEVEN)).digit

    assert asyncio.run(ask()) == 7


def test_pauses_grow_with_jitter_and_never_reach_the_deadline() -> None:
    """Whatever the errors, a pause is shorter than what is left; callers refused together come back apart."""
    now = 0.0
    pauses = []
    patience = Patience(20, clock=lambda: now)
    while pause := patience.pause(ConnectionFailed("No.")):
        assert now + pause < 20
        pauses.append(pause)
        now += pause
    assert len(pauses) > 6
    assert all(0.05 * 2**n <= pause <= 0.15 * 2**n for n, pause in enumerate(pauses[:6]))
    assert max(pauses) <= 7.5
    assert len({Patience(20).pause(ConnectionFailed("No.")) for _ in range(10)}) == 10
    assert 3 < Patience(20).pause(QueueFull("No.", status=429, retry_after=3)) < 4
    assert Patience(20).pause(ValueError()) is False
    assert Patience(3).pause(QueueFull("No.", status=429, retry_after=3)) is False


def test_retry_after_is_seconds_or_a_date() -> None:
    """RFC 9110 has both; what is neither is no wish."""
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=100), usegmt=True)
    assert 90 < seconds_to_wait(soon) <= 100
    assert seconds_to_wait("7") == 7
    assert seconds_to_wait("Wed, 21 Oct 2015 07:28:00 GMT") == 0
    assert [seconds_to_wait(said) for said in (None, "", "soon", "-1", "nan", "1e9")] == [None] * 6
