"""What is left of a body when its answer is there early.

A client that is still writing sees a reset instead of an early answer, and what is left would be taken for the next
request. So the rest is read and thrown away, within bounds; where it isn't, the connection has to close.
"""

import asyncio
from collections.abc import Mapping

from starlette.types import Message, Receive

from app.api.service import BodyLimits

DISCARDED_BYTES = 512 * 1024 * 1024


class Body:
    """A request's body, as its ASGI server hands it on, with an eye on its end."""

    def __init__(self, headers: Mapping[bytes, bytes], receive: Receive, limits: BodyLimits) -> None:
        self._receive = receive
        self._limits = limits
        self._since = asyncio.get_running_loop().time()
        self._size = 0  # bytes that have come
        self._begun = False
        self._awaited = headers.get(b"expect", b"").lower() == b"100-continue"  # RFC 9110, section 10.1.1
        self._more = b"transfer-encoding" in headers or headers.get(b"content-length", b"0") != b"0"

    async def receive(self) -> Message:
        """ASGI's `receive`."""
        message = await self._receive()
        self._begun = True
        self._more = message["type"] == "http.request" and message.get("more_body", False)
        self._size += len(message.get("body", b""))
        return message

    async def ended(self) -> bool:
        """Whether nothing of the body is left to come, once the rest was thrown away; False when that took too long.

        The deadline is that of the whole body: one that was late is not waited for again. A client that waits for our
        word before it writes is not given it.
        """
        if not self._more:
            return True
        if self._awaited and not self._begun:
            return False
        clock = asyncio.get_running_loop().time
        most = self._size + DISCARDED_BYTES
        try:
            async with asyncio.timeout_at(self._limits.deadline(self._since, clock(), self._size)) as timer:
                while self._more and self._size <= most:
                    await self.receive()
                    timer.reschedule(self._limits.deadline(self._since, clock(), self._size))
        except TimeoutError:
            pass
        return not self._more
