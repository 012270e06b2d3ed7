"""`AsyncClient`: the calls of the service for asyncio."""

import asyncio
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from types import TracebackType
from typing import Self, TypeVar, Unpack

from lenet5_client import calls
from lenet5_client.errors import Lenet5Error
from lenet5_client.exchange import DEFAULT_ATTEMPTS, DEFAULT_CONCURRENCY, DEFAULT_TIMEOUT, DEFAULT_URL, Exchange
from lenet5_client.many import (
    DIGITS,
    FIELDS,
    Ask,
    Batch,
    Progress,
    batches,
    in_order,
    predictions,
    readings,
)
from lenet5_client.options import DigitOptions, FieldOptions, ReadOptions, checked
from lenet5_client.pictures import Picture, encoded
from lenet5_client.schemas import Health, ModelInfo, Prediction, ReadResponse

Result = TypeVar("Result")


class AsyncClient:
    """`Client` for asyncio: the same arguments, calls, results and errors. Use one for everything, in one event loop.

    Files, images and iterables are read in a thread, as they may take a while; `progress` is called in the event loop.
    """

    def __init__(
        self,
        url: str = DEFAULT_URL,
        *,
        api_key: str | None = None,
        headers: Mapping[str, str] | None = None,
        timeout: float = DEFAULT_TIMEOUT,
        attempts: int = DEFAULT_ATTEMPTS,
        concurrency: int = DEFAULT_CONCURRENCY,
    ) -> None:
        """As `Client`."""
        self._exchange = Exchange(
            url, api_key=api_key, headers=headers, timeout=timeout, attempts=attempts, concurrency=concurrency
        )

    async def predict(
        self, picture: Picture, *, timeout: float | None = None, **options: Unpack[DigitOptions]
    ) -> Prediction:
        """As `Client.predict`."""
        checked(options, DigitOptions)
        return await self._exchange.send(calls.predict(await _loaded(picture), options), timeout)

    async def predict_many(
        self,
        pictures: Iterable[Picture],
        *,
        timeout: float | None = None,
        progress: Progress | None = None,
        **options: Unpack[DigitOptions],
    ) -> list[Prediction | Lenet5Error]:
        """As `Client.predict_many`."""
        ask = predictions(self._exchange, options, timeout)
        return await self._many(ask, pictures, batches(pictures, most=DIGITS), progress)

    async def read(
        self, picture: Picture, *, timeout: float | None = None, **options: Unpack[ReadOptions]
    ) -> ReadResponse:
        """As `Client.read`."""
        checked(options, ReadOptions)
        return await self._exchange.send(calls.read(await _loaded(picture), options), timeout)

    async def read_many(
        self,
        pictures: Iterable[Picture],
        *,
        each: Iterable[FieldOptions | None] | None = None,
        timeout: float | None = None,
        progress: Progress | None = None,
        **options: Unpack[ReadOptions],
    ) -> list[ReadResponse | Lenet5Error]:
        """As `Client.read_many`."""
        ask = readings(self._exchange, options, timeout)
        return await self._many(ask, pictures, batches(pictures, each, most=FIELDS), progress)

    async def models(self, *, timeout: float | None = None) -> list[ModelInfo]:
        """As `Client.models`."""
        return list((await self._exchange.send(calls.MODELS, timeout)).models)

    async def health(self, *, timeout: float | None = None) -> Health:
        """As `Client.health`."""
        return await self._exchange.send(calls.READY, timeout)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._exchange.close()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()

    async def _many(
        self, ask: Ask[Result], pictures: Iterable[Picture], made: Iterator[Batch], progress: Progress | None
    ) -> list[Result | Lenet5Error]:
        take = partial(asyncio.to_thread, next, made, None)
        return await in_order(ask, take, at_once=self._exchange.concurrency, progress=progress, pictures=pictures)


async def _loaded(picture: Picture) -> bytes:
    """A picture file's bytes."""
    return picture if isinstance(picture, bytes) else await asyncio.to_thread(encoded, picture)
