"""One HTTP connection as we serve it: uvicorn's, with deadlines, bounds, and errors in our shape.

What uvicorn leaves open: headers that never come to an end, headers of any size, requests pipelined without bound, a
connection that is kept alive by a stray byte, and one whose caller never reads the answer.
"""

import asyncio
import json
import secrets
import socket
import struct
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from app.errors import HeadersTooLarge, MalformedRequest, RequestError, RequestTimeout

RESET = struct.pack("ii", 1, 0)
"""SO_LINGER for no time: closing is a reset."""


class _OneAtATime(FlowControl):
    """Reads nothing more while requests wait for their turn on the connection, whoever asks for it."""

    def __init__(self, transport: asyncio.Transport, protocol: "Protocol") -> None:
        super().__init__(transport)
        self._protocol = protocol

    def resume_reading(self) -> None:
        if not self._protocol.pipeline and not self._transport.is_closing():
            super().resume_reading()


class Protocol(HttpToolsProtocol):
    """Subclass it with these four; uvicorn wants a class."""

    header_timeout: float  # seconds
    max_header_bytes: int
    answer_timeout: float  # seconds
    refused: Callable[[int], None]  # is told the status of each answer that the application knows nothing of

    _header_timer: asyncio.TimerHandle | None = None  # runs while headers are due
    _header_bytes = 0  # of the headers that are due, in chunks that hold nothing else
    _message_begun = False  # whether any of them have come
    _answer_timer: asyncio.TimerHandle | None = None  # runs while what was written waits to be read
    _refusal: RequestError | None = None
    _running: RequestResponseCycle | None = None  # the request that is being answered

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Headers are due from now on."""
        super().connection_made(transport)
        self.flow = _OneAtATime(transport, self)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Every request on the connection has lost its caller, not only the last."""
        self._headers_came()
        self._answer_read()
        for cycle in (self._running, *(waiting for waiting, _ in self.pipeline)):
            if cycle is not None and not cycle.response_complete:
                cycle.disconnected = True
                cycle.message_event.set()
        self.pipeline.clear()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers, and stop before the parser has kept too much of it."""
        if self._header_timer is not None:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_timer is None and self._idle():
            self._expect_headers()  # a stray byte has ended uvicorn's keep-alive timer, and began no request
        elif self._header_timer is not None and self._header_bytes > self.max_header_bytes:
            self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A request begins: its headers are due."""
        super().on_message_begin()
        if self._header_timer is None:
            self._expect_headers()
        self._message_begun = True

    def on_headers_complete(self) -> None:
        """The headers are whole; what follows may be a body."""
        self._headers_came()
        if sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url) > self.max_header_bytes:
            self._refusal = self._too_large()
        elif self.parser.should_upgrade():  # the parser would take the body for another protocol's
            self._refusal = MalformedRequest("Connections are not upgraded here; leave the header Upgrade out.")
        if self._refusal is not None:
            raise self._refusal  # the parser stops, and send_400_response says why
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser gave up."""
        self._refuse(self._refusal or MalformedRequest(msg))

    def pause_writing(self) -> None:
        """More is written than the caller reads: that has a deadline from now on."""
        super().pause_writing()
        self._expect_reading()

    def resume_writing(self) -> None:
        """The caller reads."""
        super().resume_writing()
        if not self.transport.is_closing():  # else the rest has to be read too
            self._answer_read()

    def on_response_complete(self) -> None:
        """An answer that was the last of its connection has a deadline, as closing waits until all is read."""
        super().on_response_complete()
        if self.transport.is_closing():
            self._expect_reading()

    def timeout_keep_alive_handler(self) -> None:
        """The connection was idle, or its caller has not read all of the answer in this time."""
        self._close(waited=self.timeout_keep_alive)

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _idle(self) -> bool:
        """Whether nothing is being answered and nothing waits to be."""
        return self.cycle is None or (self.cycle.response_complete and not self.pipeline)

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(
            f"The request's headers have more than {self.max_header_bytes} bytes.", limit=self.max_header_bytes
        )

    def _expect_headers(self) -> None:
        self._header_bytes, self._message_begun = 0, False
        self._header_timer = self.loop.call_later(self.header_timeout, self._too_slow)

    def _headers_came(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _too_slow(self) -> None:
        self._header_timer = None
        if self._message_begun:
            self._refuse(RequestTimeout("The request's headers came in too slowly.", seconds=self.header_timeout))
        else:
            self._close()

    def _expect_reading(self, waited: float = 0.0) -> None:
        if self._answer_timer is None:
            self._answer_timer = self.loop.call_later(max(0.0, self.answer_timeout - waited), self._cut)

    def _cut(self) -> None:
        """Reset the connection, so that what the system holds for a caller who does not read goes too (socket(7))."""
        connection = self.transport.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        self.transport.abort()

    def _answer_read(self) -> None:
        if self._answer_timer is not None:
            self._answer_timer.cancel()
            self._answer_timer = None

    def _close(self, waited: float = 0.0) -> None:
        """Close once what was written, `waited` seconds ago, is read; by its deadline at the latest."""
        self.transport.close()
        self._expect_reading(waited)

    def _refuse(self, error: RequestError) -> None:
        """Answer without the application, which has not seen this request, and close.

        Behind requests that are still being answered there is no answer, as it would be taken for theirs: the
        connection closes after them.
        """
        self._headers_came()
        if self.transport.is_closing():
            return
        if not self._idle():
            self.cycle.keep_alive = False
            return
        path = self.url.decode("latin-1").partition("?")[0] if self._message_begun else ""
        body = json.dumps(error.body_at(path)).encode()
        lines: dict[str, Any] = {
            "content-type": "application/json",
            "content-length": len(body),
            "x-content-type-options": "nosniff",
            "x-request-id": secrets.token_hex(16),
            "connection": "close",
        }
        head = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()
        )
        self.refused(error.status)  # before the caller can know, as the middleware does
        self.transport.write(head.encode() + b"\r\n" + body)
        self._close()
