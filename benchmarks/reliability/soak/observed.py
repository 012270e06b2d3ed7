"""The service as it is, with one address more, which says what it holds; and with leaks, if they are asked for.

    python -m benchmarks.reliability.soak.observed [memory] [task] [thread] [socket]

Only a process itself knows its tasks.
"""

import asyncio
import gc
import json
import os
import sys
import threading
from collections.abc import Collection
from itertools import count
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

from app.main import create_app
from app.server import bind, serve
from app.settings import Settings

PATH = "/-/held"
QUEUE = 20  # pictures: fewer than there are callers, so that some are told to come again
LEAKED_BYTES = 16_384
LEAK_EVERY = 100  # requests, of a task, a thread and a socket


class Observed:
    """Pure ASGI, round everything."""

    def __init__(self, app: ASGIApp, *, leaks: Collection[str]) -> None:
        self._app = app
        self._leaks = leaks
        self._requests = count(1)
        self._kept: list[object] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope.get("path") == PATH:
            body = json.dumps(_held()).encode()
            await send(
                {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"%d" % len(body))]}
            )
            await send({"type": "http.response.body", "body": body})
            return
        number = next(self._requests)
        if "memory" in self._leaks:
            self._kept.append(os.urandom(LEAKED_BYTES))
        if "task" in self._leaks and number % LEAK_EVERY == 0:
            self._kept.append(asyncio.ensure_future(asyncio.Event().wait()))
        if "thread" in self._leaks and number % LEAK_EVERY == 0:
            threading.Thread(target=threading.Event().wait, daemon=True).start()
        if "socket" in self._leaks and number % LEAK_EVERY == 0:
            os.dup(sys.stderr.fileno())
        await self._app(scope, receive, send)


def _held() -> dict[str, int]:
    gc.collect()
    return {
        "tasks": len(asyncio.all_tasks()),
        "threads": threading.active_count(),
        "sockets": len(list(Path("/proc/self/fd").iterdir())),
    }


def main() -> None:
    """Serve until a signal comes."""
    settings = Settings(port=0, queue_pictures=QUEUE, log_level="error")
    with bind(settings) as listener:
        app = create_app(settings)
        app.add_middleware(Observed, leaks=sys.argv[1:])
        where = f"http://127.0.0.1:{listener.getsockname()[1]}\n"
        serve(app, listener, settings, listening=lambda: print(where, file=sys.stderr, flush=True))


if __name__ == "__main__":
    main()
