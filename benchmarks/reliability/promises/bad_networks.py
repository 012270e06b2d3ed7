"""Promise 18: behind a bad network each client gets its own answer or a clean error, and retries change nothing."""

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from itertools import count
from random import Random
from urllib.parse import urlsplit

import httpx
import numpy as np
import numpy.typing as npt
import stamina.instrumentation
from lenet5_client import AsyncClient
from PIL import Image

from benchmarks.forms import encode
from benchmarks.reliability.network.clients import TRY_SECONDS, Hasty, bare, shipped
from benchmarks.reliability.network.clients import Ask as AskFor
from benchmarks.reliability.network.proxy import bad_network
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import service

PICTURES = 48
CLIENTS = 8
APART = 1e-3  # two pictures' probabilities differ by more, somewhere
ROUNDING = 1e-4
LONGEST = 60.0  # seconds until an answer or a clean error

Opened = Callable[[AsyncExitStack, str], "list[AskFor]"]
Probabilities = npt.NDArray[np.float64]


@dataclass
class _Seen:
    """What became of the requests."""

    answered: int = 0
    refused: int = 0
    wrong: list[str] = field(default_factory=list)


def _pictures(rng: np.random.Generator) -> list[bytes]:
    """Blots that a network is unsure of, each in its own way."""
    blots = [np.clip(rng.normal(60, 70, (7, 7)), 0, 255).astype(np.uint8) for _ in range(2 * PICTURES)]
    return [encode(Image.fromarray(blot).resize((28, 28), Image.Resampling.BICUBIC)) for blot in blots]


def _both(stack: AsyncExitStack, url: str) -> "list[AskFor]":
    """Half of the clients are ours."""
    asks: list[AskFor] = []
    for _ in range(CLIENTS // 2):
        ours, plain = AsyncClient(url, timeout=LONGEST / 2), httpx.AsyncClient(base_url=url, timeout=TRY_SECONDS)
        stack.push_async_callback(ours.aclose)
        stack.push_async_callback(plain.aclose)
        asks += [shipped(ours), bare(plain)]
    return asks


def _hasty(stack: AsyncExitStack, url: str) -> "list[AskFor]":
    asks = [Hasty(urlsplit(url).port or 0) for _ in range(CLIENTS)]
    for one in asks:
        stack.push_async_callback(one.aclose)
    return list(asks)


async def _asked(url: str, ask: Ask, opened: Opened) -> _Seen:
    seen, numbers = _Seen(), count(ask.start)
    async with AsyncExitStack() as stack:
        direct = await stack.enter_async_context(AsyncClient(url))
        known = _told_apart([(p, await _told(direct, p)) for p in _pictures(ask.rng())])
        port = await stack.enter_async_context(bad_network(urlsplit(url).port or 0, Random(ask.seed + ask.start)))
        asks = opened(stack, f"http://127.0.0.1:{port}")
        await asyncio.gather(*(_go_on(one, known, numbers, ask.start + ask.amount, seen) for one in asks))
        for picture, right in known:  # what came in twice or by half has changed nothing
            if not np.allclose(await _told(direct, picture), right, atol=ROUNDING):
                seen.wrong.append("the service answers otherwise than before")
        if 'lenet5_queue_depth{model="lenet5"} 0.0' not in (await _metrics(url)):
            seen.wrong.append("something is left in the queue")
    return seen


async def _go_on(
    ask: AskFor, known: Sequence[tuple[bytes, Probabilities]], numbers: Iterator[int], end: int, seen: _Seen
) -> None:
    """One client, one request after the other."""
    while (number := next(numbers)) < end:
        picture, right = known[number % len(known)]
        try:
            async with asyncio.timeout(LONGEST):
                got = await ask(picture)
        except Exception as error:  # noqa: BLE001 - neither an answer nor a clean error
            seen.wrong.append(f"request {number}: {type(error).__name__}: {error}")
            continue
        if got is None:
            seen.refused += 1
        elif np.allclose(got, right, atol=ROUNDING):
            seen.answered += 1
        else:
            seen.wrong.append(f"request {number}: another picture's answer")


async def _told(client: AsyncClient, picture: bytes) -> Probabilities:
    return np.array((await client.predict(picture)).probabilities)


async def _metrics(url: str) -> str:
    async with httpx.AsyncClient() as client:
        return (await client.get(f"{url}/metrics")).text


def _told_apart(asked: Sequence[tuple[bytes, Probabilities]]) -> list[tuple[bytes, Probabilities]]:
    """As many as are needed of those whose answers differ from each other's."""
    apart: list[tuple[bytes, Probabilities]] = []
    for picture, told in asked:
        if all(np.abs(told - other).max() > APART for _, other in apart):
            apart.append((picture, told))
    return apart[:PICTURES]


def _measured(opened: Opened, ask: Ask) -> Trial:
    stamina.instrumentation.set_on_retry_hooks([])  # each retry would be a line on standard output
    with service() as running:
        seen = asyncio.run(_asked(running.url, ask, opened))
    figures = {"answered": 100 * seen.answered / ask.amount}
    return Trial(ask.amount, len(seen.wrong), figures, tuple(seen.wrong[:10]))


PROMISE = Promise(
    number=18,
    name="bad-networks",
    says="behind a faulty proxy each client gets its own answer or a clean error",
    unit="requests",
    full=10_000,
    small=400,
    portion=5_000,
    bounds={"answered": Bound("%", least=50)},
    keep=lambda ask: _measured(_both, ask),
    control=lambda ask: _measured(_hasty, ask),
    against="a client that asks again on the same connection when its answer is late",
    in_ci=False,
)
