"""More callers than a service can answer: by the clock, or such as come back when they are told to."""

import asyncio
import io
import json
import re
import time
from dataclasses import dataclass, field
from random import Random

import numpy as np
from PIL import Image

from training import datasets

SIDE = 1600  # pixels of a picture: some ten milliseconds of decoding
PATIENCE = 2.0  # seconds in which an answer is of use to a caller
GONE_AFTER = 0.05  # seconds after which one who goes away has, at most
LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
RETRY_AFTER = re.compile(rb"retry-after: (\d+)", re.IGNORECASE)
RETRIES = 2


@dataclass(frozen=True)
class Answer:
    """What came of one request."""

    status: int  # 0: nothing, in time
    seconds: float
    digit: int | None = None
    retry_after: int = 0  # seconds, as told


@dataclass
class Seen:
    """By all callers."""

    answers: list[Answer] = field(default_factory=list)
    wrong: list[str] = field(default_factory=list)

    def count(self, status: int) -> int:
        """Answers of that status."""
        return sum(one.status == status for one in self.answers)


def pictures() -> list[bytes]:
    """Ten large JPEGs, one of each digit, of MNIST's test digits."""
    digits = datasets.load("mnist-test", None)
    firsts = [int(np.flatnonzero(digits.labels == digit)[0]) for digit in range(10)]
    return [_jpeg(digits.pictures[index]) for index in firsts]


def _jpeg(picture: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(255 - picture).resize((SIDE, SIDE), Image.Resampling.BICUBIC).save(out, "JPEG", quality=90)
    return out.getvalue()


async def ask(port: int, body: bytes, *, gone_after: float | None = None) -> Answer:
    """Post a picture on a connection of its own, and wait for the answer as long as it is of use, or go away."""
    begun = time.perf_counter()
    head = f"POST /predict HTTP/1.1\r\nHost: here\r\nContent-Type: image/jpeg\r\nContent-Length: {len(body)}\r\n\r\n"
    writer = None
    try:
        async with asyncio.timeout(PATIENCE if gone_after is None else gone_after):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(head.encode() + body)
            said = await reader.readuntil(b"\r\n\r\n")
            length = LENGTH.search(said)
            content = await reader.readexactly(int(length[1]) if length else 0)
    except (OSError, EOFError, TimeoutError):
        return Answer(0, time.perf_counter() - begun)
    finally:
        if writer is not None:
            writer.transport.abort()
    status = int(said[9:12])
    digit = json.loads(content)["digit"] if status == 200 else None
    told = RETRY_AFTER.search(said)
    return Answer(status, time.perf_counter() - begun, digit, int(told[1]) if told else 0)


async def capacity(port: int, bodies: list[bytes], seconds: float, callers: int = 16) -> float:
    """Answers a second to callers of whom each waits for its own."""
    seen, until = Seen(), time.perf_counter() + seconds

    async def one(number: int) -> None:
        while time.perf_counter() < until:
            number += 1
            seen.answers.append(await ask(port, bodies[number % len(bodies)]))

    await asyncio.gather(*map(one, range(callers)))
    return seen.count(200) / seconds


async def by_the_clock(port: int, bodies: list[bytes], *, rate: float, seconds: float, leaving: float) -> Seen:
    """So many requests a second, whatever becomes of them; a share of the callers goes away before the answer."""
    rng, seen = Random(8), Seen()

    async def one(number: int) -> None:
        gone_after = rng.uniform(0, GONE_AFTER) if rng.random() < leaving else None
        answer = await ask(port, bodies[number % len(bodies)], gone_after=gone_after)
        if gone_after is None:
            seen.answers.append(answer)
        if answer.digit not in (None, number % len(bodies)):
            seen.wrong.append(f"request {number}: {answer.digit}, not {number % len(bodies)}")

    begun = time.perf_counter()
    async with asyncio.TaskGroup() as tasks:
        for number in range(round(rate * seconds)):
            await asyncio.sleep(max(0.0, begun + number / rate - time.perf_counter()))
            tasks.create_task(one(number))
    return seen


async def obedient(port: int, bodies: list[bytes], *, rate: float, settling: float, seconds: float) -> float:
    """The share that succeeds by its second retry, of callers who want so many answers a second together.

    Each thinks for a second, asks, and comes back when it was told to; the first `settling` seconds do not count.
    """
    rng, counted = Random(8), time.perf_counter() + settling
    until = counted + seconds
    succeeded: list[bool] = []

    async def one(number: int) -> None:
        while time.perf_counter() < until:
            await asyncio.sleep(rng.expovariate(1))
            answer = await ask(port, bodies[number % len(bodies)])
            for _ in range(RETRIES):
                if answer.status == 200:
                    break
                await asyncio.sleep(answer.retry_after)
                answer = await ask(port, bodies[number % len(bodies)])
            if counted < time.perf_counter() < until:
                succeeded.append(answer.status == 200)

    await asyncio.gather(*map(one, range(round(rate))))
    return sum(succeeded) / max(1, len(succeeded))
