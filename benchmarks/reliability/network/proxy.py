"""A proxy that does to connections what networks do: late, slow, in pieces, cut, reset, and pieces twice."""

import asyncio
import contextlib
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from random import Random

CHUNK = 4096  # bytes
DELAY = 0.06  # seconds, of a piece at most
NARROW = 125_000  # bytes a second: 1 Mbit/s
FAR = 4000  # bytes after which a connection breaks, at most; a request or an answer has some 700
LINGER_NOT = struct.pack("ii", 1, 0)


@dataclass(frozen=True)
class Weather:
    """What befalls one direction of one connection."""

    kind: str
    breaks_at: int  # bytes


KINDS = ("calm", "late", "narrow", "pieces", "cut", "reset", "twice")


def _weather(rng: Random) -> Weather:
    return Weather(rng.choice(KINDS), rng.randrange(1, FAR))


class _Broken(Exception):
    """The weather has ended the connection."""


async def _carry(source: asyncio.StreamReader, target: asyncio.StreamWriter, weather: Weather, rng: Random) -> None:
    """From one end to the other, until one of them or the weather ends it."""
    carried = 0
    while data := await source.read(CHUNK):
        if weather.kind == "late":
            await asyncio.sleep(rng.random() * DELAY)
        elif weather.kind == "narrow":
            await asyncio.sleep(len(data) / NARROW)
        elif weather.kind == "pieces":
            target.write(data[: len(data) // 2])
            await target.drain()
            await asyncio.sleep(rng.random() * DELAY)
            data = data[len(data) // 2 :]
        elif weather.kind == "twice" and carried + len(data) >= weather.breaks_at:
            data = data[: len(data) // 2] + data
            weather = Weather("calm", 0)
        elif weather.kind in ("cut", "reset") and carried + len(data) >= weather.breaks_at:
            target.write(data[: max(0, weather.breaks_at - carried)])
            with contextlib.suppress(OSError):
                await target.drain()
            raise _Broken
        carried += len(data)
        target.write(data)
        await target.drain()


async def _between(
    near: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    far: tuple[asyncio.StreamReader, asyncio.StreamWriter],
    rng: Random,
) -> None:
    """One connection, until it ends or is ended."""
    weathers = _weather(rng), _weather(rng)
    ways = [
        asyncio.ensure_future(_carry(near[0], far[1], weathers[0], rng)),
        asyncio.ensure_future(_carry(far[0], near[1], weathers[1], rng)),
    ]
    reset = False
    try:
        ended, _ = await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        reset = any(way in ended and weather.kind == "reset" for way, weather in zip(ways, weathers, strict=True))
    finally:
        for way in ways:
            way.cancel()
        for _, end in (near, far):
            if reset:
                end.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, LINGER_NOT)
                end.transport.abort()
            end.close()
        await asyncio.gather(*ways, return_exceptions=True)


async def closed(end: asyncio.StreamWriter) -> None:
    """Close it, and wait until it is."""
    end.close()
    with contextlib.suppress(OSError):
        await end.wait_closed()


@asynccontextmanager
async def bad_network(port: int, rng: Random) -> AsyncIterator[int]:
    """A port of this machine behind which, in bad weather, lies the other."""
    under_way: set[asyncio.Task[None]] = set()

    def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.ensure_future(carried(reader, writer))
        under_way.add(task)
        task.add_done_callback(under_way.discard)

    async def carried(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            far = await asyncio.open_connection("127.0.0.1", port)
            await _between((reader, writer), far, rng)
        except OSError:
            pass  # the service is not there: that is what a caller sees
        finally:
            await closed(writer)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    try:
        yield server.sockets[0].getsockname()[1]
    finally:
        server.close()
        ending = tuple(under_way)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
