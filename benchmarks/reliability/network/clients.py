"""Who asks through the bad network: the client that we ship, one of bare HTTP, and one that should not be written."""

import asyncio
import json
import secrets
from collections.abc import Awaitable, Callable

import httpx
from lenet5_client import AsyncClient, Lenet5Error

from benchmarks.reliability.network.proxy import closed

Ask = Callable[[bytes], Awaitable[list[float] | None]]
"""A picture to its ten probabilities; None for a clean error. Raises for what is neither."""

TRY_SECONDS = 20.0
HEADERS = {"Content-Type": "image/png"}


def shipped(client: AsyncClient) -> Ask:
    """lenet5_client, with its retries."""

    async def ask(picture: bytes) -> list[float] | None:
        try:
            return list((await client.predict(picture)).probabilities)
        except Lenet5Error:
            return None

    return ask


def bare(client: httpx.AsyncClient) -> Ask:
    """Plain HTTP without retries, which holds the answer against its own request id."""

    async def ask(picture: bytes) -> list[float] | None:
        mine = secrets.token_hex(8)
        try:
            answer = await client.post("/predict", content=picture, headers=HEADERS | {"X-Request-ID": mine})
        except httpx.TransportError:
            return None
        try:
            said = answer.json()
        except ValueError:
            return None  # pieces that came twice: what was promised is that it is no answer
        if answer.status_code != 200:
            if "code" not in said.get("error", {}):
                raise RuntimeError(f"an error that is not ours: {said}")
            return None
        if answer.headers.get("x-request-id") != mine:
            raise RuntimeError("somebody else's answer")
        probabilities: list[float] = said["probabilities"]
        return probabilities

    return ask


class Hasty:
    """Asks again on the same connection when its answer is late, and takes the first that comes for its own."""

    PATIENCE = 0.03  # seconds

    def __init__(self, port: int) -> None:
        self._port = port
        self._writer: asyncio.StreamWriter | None = None

    async def __call__(self, picture: bytes) -> list[float] | None:
        request = (
            b"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"
            % len(picture)
        )
        try:
            if self._writer is None:
                self._reader, self._writer = await asyncio.open_connection("127.0.0.1", self._port)
            for _ in range(20):
                self._writer.write(request + picture)
                try:
                    said = await asyncio.wait_for(self._reader.readuntil(b"}}"), self.PATIENCE)
                except TimeoutError:
                    continue
                probabilities: list[float] = json.loads(said[said.index(b"{") :])["probabilities"]
                return probabilities
        except (OSError, asyncio.IncompleteReadError, asyncio.LimitOverrunError, ValueError, KeyError):
            pass
        await self.aclose()
        return None

    async def aclose(self) -> None:
        """Close the connection."""
        if self._writer is not None:
            writer, self._writer = self._writer, None
            await closed(writer)
