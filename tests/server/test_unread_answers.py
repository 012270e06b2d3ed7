"""Answers that nobody reads: the connection's protocol with small buffers, under an application of one large answer."""

import asyncio
import socket
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager

import pytest
import uvicorn
from uvicorn.server import ServerState

from app.protocol import Protocol

BUFFER = 4096
"""Bytes that the system is asked to hold for each side; it takes some more."""
SECONDS = 1.0
"""In which an answer has to be read here."""
PAUSES = 400_000
"""Bytes of an answer of which the transport says that they are too many for now."""
FITS = 40_000
"""Bytes of one that it takes whole, though the system does not."""


@asynccontextmanager
async def served(size: int) -> AsyncGenerator[tuple[socket.socket, ServerState]]:
    """A caller's connection, and the server's own list of connections."""

    async def app(scope, receive, send):
        headers = [(b"content-length", b"%d" % size)]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": b"x" * size})

    limits = {"header_timeout": 60.0, "max_header_bytes": 4096, "answer_timeout": SECONDS}
    protocol = type("LimitedProtocol", (Protocol,), limits)
    config = uvicorn.Config(app, http=protocol, ws="none", lifespan="off", log_config=None, timeout_keep_alive=60)
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()
    listener = socket.create_server(("127.0.0.1", 0))
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, BUFFER)
    caller = socket.socket()
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
    caller.setblocking(False)
    with caller:
        server = await loop.create_server(lambda: protocol(config, state, {}), sock=listener)
        try:
            await loop.sock_connect(caller, listener.getsockname())
            yield caller, state
        finally:
            for connection in list(state.connections):
                connection.transport.abort()
            server.close()


async def ask(caller: socket.socket, *headers: str) -> None:
    lines = ["GET / HTTP/1.1", "Host: a", *headers, "", ""]
    await asyncio.get_running_loop().sock_sendall(caller, "\r\n".join(lines).encode())


async def read(caller: socket.socket, size: int) -> None:
    """Read one answer to its end."""
    found = b""
    while len(found.partition(b"\r\n\r\n")[2]) < size:
        part = await asyncio.get_running_loop().sock_recv(caller, 65536)
        assert part
        found += part


async def until(condition: Callable[[], object]) -> None:
    """Wait for what must happen."""
    async with asyncio.timeout(30):
        while not condition():  # noqa: ASYNC110 - the server has no event for it
            await asyncio.sleep(0.01)


@pytest.mark.parametrize("size", [PAUSES, FITS])
@pytest.mark.parametrize("keep", ["keep-alive", "close"])
async def test_a_caller_who_never_reads_the_answer_is_cut_off(size, keep):
    """Whether the transport held the answer back or took it, and whether the connection would be kept or closed."""
    async with served(size) as (caller, state):
        await ask(caller, f"Connection: {keep}")
        await until(lambda: state.total_requests)
        (connection,) = state.connections
        if (size, keep) == (FITS, "keep-alive"):
            connection.timeout_keep_alive_handler()  # as when the time of an idle connection is over
        await until(lambda: not state.connections)


async def test_a_caller_who_reads_in_time_keeps_the_connection():
    """Once an answer is read its deadline is over: the next request on the connection is answered too."""
    async with served(PAUSES) as (caller, state):
        await ask(caller)
        await read(caller, PAUSES)
        await asyncio.sleep(1.5 * SECONDS)
        assert state.connections
        await ask(caller)
        await read(caller, PAUSES)
