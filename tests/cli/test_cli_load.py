"""The callers of `lenet5 bench`, against a service that closes every connection."""

import asyncio
import socket
from collections.abc import Awaitable, Callable

import pytest

from app.cli import main
from app.cli.load import Measured, Target, measured
from app.cli.options import api_key
from app.errors import InvalidParameter

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def against(answer: Answer) -> Measured:
    """What two callers with a key see of a server for a moment."""

    async def run() -> Measured:
        async with await asyncio.start_server(answer, "127.0.0.1") as server:
            target = Target.of("http://127.0.0.1:{1}".format(*server.sockets[0].getsockname()), "/predict")
            return await measured(target, [target.request(b"picture", "secret")], 2, seconds=0.2)

    return asyncio.run(run())


def test_a_connection_that_the_service_closes_is_opened_again_and_is_no_error():
    """As it says so in its answer; every request has the key, as the service takes it."""
    heads = set()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        heads.add((await reader.readuntil(b"\r\n\r\n")).split(b"\r\n")[4])
        await reader.readexactly(len(b"picture"))
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{}")
        writer.close()

    found = against(answer)
    assert found.latencies
    assert not found.errors
    assert heads == {b"Authorization: Bearer secret"}


def test_a_connection_that_breaks_is_counted():
    """And the next request goes on a new one."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.close()

    found = against(answer)
    assert found.errors["connection closed"] > 2
    assert not found.latencies


def test_a_service_that_never_answers_is_said(monkeypatch, capsys):
    """With the URL, and exit code 1."""
    monkeypatch.setattr("app.cli.load.PATIENCE", 0.5)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(SystemExit) as ended:
        main(["bench", f"http://127.0.0.1:{silent.getsockname()[1]}", "--seconds", "0.2", "--callers", "1"])
    assert ended.value.code == 1
    assert capsys.readouterr().err.endswith(" has answered nothing with 200: no answer came in time\n")


@pytest.mark.parametrize(("value", "expected"), [(None, None), ("", None), ("secret", "secret")])
def test_an_empty_key_is_none(monkeypatch, value, expected):
    """As an empty variable counts as unset everywhere."""
    monkeypatch.delenv("LENET5_API_KEY", raising=False)
    if value is not None:
        monkeypatch.setenv("LENET5_API_KEY", value)
    assert api_key() == expected


@pytest.mark.parametrize("value", ["a\nX-Other: b", "schlüssel"])
def test_a_key_that_no_header_can_hold_is_a_wrong_option(monkeypatch, value):
    """It is not sent."""
    monkeypatch.setenv("LENET5_API_KEY", value)
    with pytest.raises(InvalidParameter):
        api_key()
