"""One HTTP connection as we serve it: uvicorn's, with deadlines, a bound on headers, and errors in our shape.

uvicorn never closes a connection whose headers don't come to an end, and its parser has no limit on them.
"""

import asyncio
import json
import secrets
from http import HTTPStatus
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from app.errors import HeadersTooLarge, MalformedRequest, RequestError, RequestTimeout


class Protocol(HttpToolsProtocol):
    """Subclass it with the two limits; uvicorn wants a class."""

    header_timeout: float  # seconds
    max_header_bytes: int

    _header_timer: asyncio.TimerHandle | None = None
    _header_bytes = 0  # received since the last message ended; None of them may be a body's
    _refusal: RequestError | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override] # as uvicorn's
        """Headers are due from now on."""
        super().connection_made(transport)
        self._expect_headers()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing is due any more."""
        self._headers_came()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Count what belongs to headers, and stop before the parser has kept too much of it."""
        if self._header_timer is not None:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._header_timer is not None and self._header_bytes > self.max_header_bytes:
            self._refuse(self._too_large())

    def on_message_begin(self) -> None:
        """A request begins on a connection that was kept open: its headers are due."""
        super().on_message_begin()
        if self._header_timer is None:
            self._expect_headers()

    def on_headers_complete(self) -> None:
        """The headers are whole; the rest of their data may be a body."""
        self._headers_came()
        if sum(len(name) + len(value) + 4 for name, value in self.headers) + len(self.url) > self.max_header_bytes:
            self._refusal = self._too_large()
            raise self._refusal  # the parser stops, and send_400_response says why
        super().on_headers_complete()

    def send_400_response(self, msg: str) -> None:
        """The parser gave up."""
        self._refuse(self._refusal or MalformedRequest(msg))

    def _too_large(self) -> HeadersTooLarge:
        return HeadersTooLarge(
            f"The request's headers have more than {self.max_header_bytes} bytes.", limit=self.max_header_bytes
        )

    def _expect_headers(self) -> None:
        self._header_bytes = 0
        self._header_timer = self.loop.call_later(self.header_timeout, self._too_slow)

    def _headers_came(self) -> None:
        if self._header_timer is not None:
            self._header_timer.cancel()
            self._header_timer = None

    def _too_slow(self) -> None:
        self._header_timer = None
        if self._header_bytes:
            self._refuse(RequestTimeout("The request's headers came in too slowly.", seconds=self.header_timeout))
        else:
            self.transport.close()

    def _refuse(self, error: RequestError) -> None:
        """Answer without the application, which has not seen this request, and close."""
        self._headers_came()
        if self.transport.is_closing():
            return
        body = json.dumps(error.body()).encode()
        lines: dict[str, Any] = {
            "content-type": "application/json",
            "content-length": len(body),
            "x-request-id": secrets.token_hex(16),
            "connection": "close",
        }
        head = f"HTTP/1.1 {error.status} {HTTPStatus(error.status).phrase}\r\n" + "".join(
            f"{name}: {value}\r\n" for name, value in lines.items()
        )
        self.transport.write(head.encode() + b"\r\n" + body)
        self.transport.close()
