"""app.api.unread on its own: what is waited for, and how long."""

import asyncio

from starlette.types import Message

from app.api.service import BodyLimits
from app.api.unread import Body


def test_a_body_that_was_late_is_not_waited_for_again() -> None:
    """Its deadline is one: where an answer says that it has passed, the connection closes at once."""

    async def ask() -> bool:
        parts = iter([b"a"])

        async def receive() -> Message:
            for part in parts:
                return {"type": "http.request", "body": part, "more_body": True}
            return await asyncio.Future[Message]()

        limits = BodyLimits(10, 10, 1, 1, timeout=1.0, min_rate=1000)
        body = Body({b"content-length": b"5"}, receive, limits)
        await body.receive()
        await asyncio.sleep(1.1)
        return await asyncio.wait_for(body.ended(), 0.9)

    assert asyncio.run(ask()) is False
