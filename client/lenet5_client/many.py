"""Long lists: batches that are made as they are needed, several under way at a time, results in order."""

import asyncio
import os
from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence, Sized
from dataclasses import dataclass
from itertools import repeat
from typing import TypeAlias, TypeVar

from lenet5_client import calls
from lenet5_client.errors import InvalidAnswer, Lenet5Error, UnreadablePicture, error_of
from lenet5_client.exchange import Exchange
from lenet5_client.options import DigitOptions, FieldOptions, ReadOptions, checked
from lenet5_client.pictures import Picture, encoded
from lenet5_client.schemas import ErrorBody, Prediction, ReadResponse

DIGITS = 32
"""Pictures of one digit in one request: 4 times as many a second as single requests; larger ones gain little."""
FIELDS = 8
"""Pictures of a field in one request: reading takes the service so long that more gain nothing."""
BATCH_BYTES = 16 * 1024 * 1024
"""Of pictures in one request, where it has several; a quarter of what the service takes by default."""
TOO_LARGE = 413

Result = TypeVar("Result")
Progress: TypeAlias = Callable[[int, int | None], object]
"""Is told how many pictures are done, and how many there are: None where that is not known, as of a generator."""


@dataclass(frozen=True)
class Item:
    """One picture that is to be answered."""

    picture: bytes  # of the picture file
    options: FieldOptions | None  # its own


Batch: TypeAlias = list[Item | UnreadablePicture]
Ask: TypeAlias = Callable[[Sequence[Item]], Awaitable[Sequence[Result | ErrorBody]]]
"""Has the service answer: a result for each. Raises Lenet5Error."""


def predictions(exchange: Exchange, options: DigitOptions, timeout: float | None) -> Ask[Prediction]:
    """Asks for digits; raises TypeError for an option that there is not."""
    checked(options, DigitOptions)

    async def ask(items: Sequence[Item]) -> Sequence[Prediction | ErrorBody]:
        call = calls.predict_batch([item.picture for item in items], options)
        return (await exchange.send(call, timeout)).results

    return ask


def readings(exchange: Exchange, options: ReadOptions, timeout: float | None) -> Ask[ReadResponse]:
    """Asks for fields; raises TypeError for an option that there is not."""
    checked(options, ReadOptions)

    async def ask(items: Sequence[Item]) -> Sequence[ReadResponse | ErrorBody]:
        call = calls.read_batch([item.picture for item in items], options, [item.options for item in items])
        return (await exchange.send(call, timeout)).results

    return ask


def batches(
    pictures: Iterable[Picture], each: Iterable[FieldOptions | None] | None = None, *, most: int
) -> Iterator[Batch]:
    """Batches of at most `most` pictures and BATCH_BYTES, read from the iterables as they are asked for.

    Raises TypeError for a single picture and for an option that there is not, and ValueError where there are not as
    many options as pictures: in the end, where the lengths are not known before.
    """
    single = isinstance(pictures, str | bytes | bytearray | memoryview | os.PathLike) or hasattr(pictures, "read")
    if single or getattr(pictures, "ndim", 3) < 3:  # an array of one picture would be taken for its rows
        raise TypeError(f"Pictures are a list or another iterable, and this is a single {type(pictures).__name__}.")
    if isinstance(pictures, Sized) and isinstance(each, Sized) and len(each) != len(pictures):
        raise ValueError(f"`each` has {len(each)} places for {len(pictures)} pictures.")
    return _batches(pictures, each, most)


def _batches(pictures: Iterable[Picture], each: Iterable[FieldOptions | None] | None, most: int) -> Iterator[Batch]:
    batch: Batch = []
    size = 0  # bytes
    pairs = zip(pictures, repeat(None)) if each is None else zip(pictures, each, strict=True)
    for picture, own in pairs:
        checked(own or {}, FieldOptions)
        try:
            item: Item | UnreadablePicture = Item(encoded(picture), own)
        except UnreadablePicture as error:
            item = error
        more = len(item.picture) if isinstance(item, Item) else 0
        if batch and (len(batch) == most or size + more > BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(item)
        size += more
    if batch:
        yield batch


async def in_order(
    ask: Ask[Result],
    take: Callable[[], Awaitable[Batch | None]],
    *,
    at_once: int,
    progress: Progress | None,
    pictures: Iterable[Picture],
) -> list[Result | Lenet5Error]:
    """The results of all that `take` gives of the pictures, in its order; at most `at_once` batches are under way.

    What `take` or `progress` raises ends all of it.
    """
    total = len(pictures) if isinstance(pictures, Sized) else None
    done = 0
    results: list[list[Result | Lenet5Error]] = []
    taking = asyncio.Lock()

    async def worker() -> None:
        nonlocal done
        while True:
            async with taking:  # iterables are read by one at a time
                batch = await take()
                place = len(results)
                results.append([])
            if batch is None:
                return
            results[place] = await _answered(ask, batch)
            done += len(batch)
            if progress is not None:
                progress(done, total)

    workers = [asyncio.create_task(worker()) for _ in range(at_once)]
    try:
        await asyncio.gather(*workers)
    finally:
        for task in workers:
            task.cancel()
        await asyncio.gather(*workers, return_exceptions=True)
    return [result for batch in results for result in batch]


async def _answered(ask: Ask[Result], batch: Batch) -> list[Result | Lenet5Error]:
    answers = iter(await _asked(ask, [item for item in batch if isinstance(item, Item)]))
    return [next(answers) if isinstance(item, Item) else item for item in batch]


async def _asked(ask: Ask[Result], items: Sequence[Item]) -> list[Result | Lenet5Error]:
    """A result for each; what is too large for one request goes in two."""
    if not items:
        return []
    try:
        answers = await ask(items)
    except Lenet5Error as error:
        half = len(items) // 2
        if error.status == TOO_LARGE and half:
            return await _asked(ask, items[:half]) + await _asked(ask, items[half:])
        return [error] * len(items)
    if len(answers) != len(items):
        return [InvalidAnswer(f"{len(items)} pictures were sent, and {len(answers)} answered.")] * len(items)
    return [error_of(answer.error) if isinstance(answer, ErrorBody) else answer for answer in answers]
