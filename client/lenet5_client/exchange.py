"""Requests to one service: connections that are kept, deadlines, and tries."""

import asyncio
import re
import secrets
from collections.abc import Mapping

import httpx
import stamina

from lenet5_client.calls import Answer, Call
from lenet5_client.errors import ConnectionFailed, InvalidAnswer
from lenet5_client.waiting import Patience

DEFAULT_URL = "http://127.0.0.1:8000"
DEFAULT_TIMEOUT = 30.0  # seconds
DEFAULT_ATTEMPTS = 5
DEFAULT_CONCURRENCY = 4
CONNECT_TIMEOUT = 5.0  # seconds, of one try
VISIBLE, PRINTABLE = re.compile("[!-~]+"), re.compile("([!-~]([ -~]*[!-~])?)?")  # what h11 lets through


class Exchange:
    """What `AsyncClient` and `Client` send their calls by, in one event loop."""

    def __init__(
        self,
        url: str,
        *,
        api_key: str | None,
        headers: Mapping[str, str] | None,
        timeout: float,
        attempts: int,
        concurrency: int,
    ) -> None:
        """Raises ValueError for what is no URL, key, header, timeout (seconds) or number."""
        sent = dict(headers or {})
        if api_key is not None:
            if not VISIBLE.fullmatch(api_key):
                raise ValueError("An api_key is of visible ASCII characters, without spaces and line ends.")
            sent["X-API-Key"] = api_key
        if not all(VISIBLE.fullmatch(name) and PRINTABLE.fullmatch(value) for name, value in sent.items()):
            raise ValueError("Headers are of printable ASCII characters.")
        if attempts < 1 or concurrency < 1:
            raise ValueError("attempts and concurrency are at least 1.")
        Patience(timeout)  # refuses what is none
        where = _url(url)
        self.concurrency = concurrency  # requests of one list that are under way at a time
        self._where = str(where.copy_with(userinfo=b""))  # a password has no place in a message
        self._timeout = timeout
        self._attempts = attempts
        self._http = httpx.AsyncClient(
            base_url=where,
            headers=sent,
            timeout=httpx.Timeout(None, connect=CONNECT_TIMEOUT),  # all else ends by the call's deadline
        )

    async def send(self, call: Call[Answer], timeout: float | None = None) -> Answer:
        """Try it until there is an answer, or no more is to be hoped for; raises Lenet5Error.

        `timeout` is the deadline of all tries in seconds, by default the client's; ValueError for what is none.
        """
        patience = Patience(self._timeout if timeout is None else timeout)
        request_id = secrets.token_hex(16)  # the service knows all tries of a call by it
        tries = self._attempts if call.repeated else 1
        async for attempt in stamina.retry_context(patience.pause, attempts=tries, timeout=None):
            with attempt:
                return await self._try(call, patience, request_id)
        raise AssertionError("stamina raises what the last try raised")

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _try(self, call: Call[Answer], patience: Patience, request_id: str) -> Answer:
        if patience.left <= 0:  # a pause may last longer than it should
            raise patience.exceeded(request_id)
        try:
            async with asyncio.timeout(patience.left):
                response = await self._http.request(
                    call.method,
                    call.path,
                    params=call.params,
                    content=call.content,
                    files=call.form or None,
                    headers={"X-Request-ID": request_id, "X-Request-Timeout": f"{max(patience.left, 0.001):.3f}"},
                )
        except TimeoutError:
            raise patience.exceeded(request_id) from None
        except httpx.DecodingError as error:
            raise InvalidAnswer(f"The answer cannot be decoded: {error}.", request_id=request_id) from error
        except httpx.TransportError as error:
            raise ConnectionFailed(
                f"The connection to {self._where} failed: {str(error) or type(error).__name__}.",
                request_id=request_id,
            ) from error
        return call.result(response.status_code, response.headers, response.content)


def _url(url: str) -> httpx.URL:
    try:
        where = httpx.URL(url)
    except httpx.InvalidURL as error:
        raise ValueError(f"A URL such as {DEFAULT_URL} is needed: {error}") from None
    if where.scheme not in ("http", "https") or not where.host or where.query or where.fragment:
        raise ValueError(f"A URL such as {DEFAULT_URL} is needed, not {where.copy_with(userinfo=b'')}.")
    return where
