"""One random schedule: callers come, go away, and the device is slow, fails or answers short, until the shutdown."""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from time import perf_counter
from typing import Any, Protocol, Self

import numpy as np

from app.errors import BackendFailed, InferenceFailed, Unavailable
from app.serving import batcher as ours
from app.serving.batcher import Array, Input, Outcome
from benchmarks.reliability.schedules.clockwork import Clockwork, Hung, Workbench

LONGEST_PASS = 30.0  # seconds
PAUSES = (0.0, 0.0, 0.0, 0.0, 0.001, 0.004, 0.05)  # seconds between two steps; 0 is a turn of the loop
STEPS = 24


class Subject(Protocol):
    """What our batcher offers."""

    max_block_size: int

    @property
    def depth(self) -> int: ...
    def start(self) -> None: ...
    async def close(self) -> None: ...
    def submit(self, picture: Input) -> asyncio.Future[Outcome]: ...
    def submit_many(self, pictures: Sequence[Array], *, bulk: bool = True) -> list[asyncio.Future[Outcome]]: ...
    def submit_block(self, block: Array, *, bulk: bool) -> asyncio.Future[Outcome]: ...


class _Unreadable(Exception):
    """What making a picture may raise."""


@dataclass(eq=False)
class _Caller:
    """Who submitted, and what must come of it."""

    numbers: range  # of the pictures
    unreadable: bool = False
    cancelled: bool = False
    done: int = 0  # times

    def answered(self, _: "asyncio.Future[Outcome]") -> None:
        self.done += 1


@dataclass
class _Device:
    """Answers each picture with its own number, unless it is to fail: once, or from then on."""

    rng: Random
    most: int  # pictures
    passed: set[int] = field(default_factory=set)  # pictures whose pass was a good one
    failed: set[int] = field(default_factory=set)
    faults: list[str] = field(default_factory=list)
    failure: BackendFailed | None = None  # nothing may be run after it

    def infer(self, inputs: Array) -> Array:
        numbers = inputs[:, 0, 0, 0].astype(int).tolist()
        if len(numbers) > self.most:
            self.faults.append(f"a pass of {len(numbers)} pictures, at most {self.most}")
        if again := [number for number in numbers if number in self.passed or number in self.failed]:
            self.faults.append(f"picture {again[0]} passed twice")
        if self.failure:
            self.faults.append("a pass on a device that was given up")
        chance = self.rng.random()
        if chance < 0.2:
            self.failed.update(numbers)
            if chance < 0.1:
                raise RuntimeError("the device failed")
            return inputs[: self.rng.randrange(len(numbers)), 0, 0]
        self.passed.update(numbers)
        return inputs[:, 0, 0]  # (n, 1)

    async def examine(self, _: Exception) -> BackendFailed | None:
        await asyncio.sleep(self.rng.choice(PAUSES))
        if self.rng.random() < 0.1:
            self.failure = BackendFailed("It computes no more.")
        return self.failure

    def seconds(self) -> float:
        return LONGEST_PASS if self.rng.random() < 0.05 else self.rng.choice((0.0, 0.001, 0.003, 0.02))


class _Silent:
    """Observes nothing."""

    def queued(self, depth: int) -> None: ...
    def inferred(self, size: int, seconds: float) -> None: ...


class Stage:
    """Runs schedules one after the other on one loop; a context manager, as the batcher's clock is the loop's in it."""

    def __init__(self, make: Callable[..., Subject]) -> None:
        self._make = make

    def __enter__(self) -> Self:
        self._loop = self._fresh()
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.close()
        ours.perf_counter = perf_counter  # type: ignore[attr-defined]  # as it was

    def _fresh(self) -> Clockwork:
        """A loop that nothing broken has been run on."""
        loop, told = Clockwork(), list[str]()
        loop.set_exception_handler(lambda _, context: told.append(str(context.get("exception") or context["message"])))
        self._told = told
        ours.perf_counter = loop.time  # type: ignore[attr-defined]  # the batcher's own clock is the loop's
        return loop

    def faults(self, case: int, seed: int) -> list[str]:
        """What went wrong in the schedule of that number; empty when nothing did."""
        rng = Random(seed * 1_000_000_007 + case)
        size = rng.randint(1, 9)
        device = _Device(rng, size)
        self._told.clear()
        options: dict[str, Any] = {"max_batch_size": size, "inline": rng.choice((0, 0, 1, 4)), "observer": _Silent()}
        options["max_batch_delay"] = rng.choice((0.0, 0.0, 0.002, 0.03))
        make = partial(self._make, device.infer, Workbench(self._loop, device.seconds), device.examine, **options)
        callers: dict[asyncio.Future[Outcome], _Caller] = {}
        try:
            depth = self._loop.run_until_complete(_played(rng, make, callers))
        except Hung:
            depth = 0
            self._told.append("it hangs")
        except Exception as error:  # noqa: BLE001 - whatever it is, a batcher raises nothing of the kind
            depth = 0
            self._told.append(f"{type(error).__name__}: {error}")
        found = [*device.faults, *self._told, *([f"{depth} pictures are left"] if depth else [])]
        found += [fault for future, caller in callers.items() if (fault := _fault(future, caller, device))]
        if found:  # what a broken schedule left must not reach the next
            self._loop.close()
            self._loop = self._fresh()
        return found


async def _played(rng: Random, make: Callable[[], Subject], callers: dict[asyncio.Future[Outcome], _Caller]) -> int:
    """The steps, the shutdown and all that follows from them; what is left in the queue."""
    batcher = make()
    batcher.start()
    closing: asyncio.Task[None] | None = None
    number, steps = 0, rng.randint(1, STEPS)
    shutdown = rng.randint(steps // 2, steps)
    for step in range(steps):
        if step == shutdown:
            closing = asyncio.get_running_loop().create_task(batcher.close())
        await asyncio.sleep(rng.choice(PAUSES)) if rng.random() < 0.6 else None
        if rng.random() < 0.25 and callers:
            future = rng.choice(list(callers))
            callers[future].cancelled |= future.cancel()
            continue
        caller, submit = _arrival(rng, batcher, number)
        number = caller.numbers.stop
        try:
            futures = submit()
        except Unavailable:
            continue
        for future, numbers in zip(futures, _shares(caller.numbers, len(futures)), strict=True):
            one = _Caller(numbers, caller.unreadable)
            callers[future] = one
            future.add_done_callback(one.answered)
    await (closing or batcher.close())
    await asyncio.sleep(2 * LONGEST_PASS)
    return batcher.depth


def _arrival(
    rng: Random, batcher: Subject, first: int
) -> tuple[_Caller, Callable[[], "list[asyncio.Future[Outcome]]"]]:
    """Somebody with pictures from that number on, and how they submit them."""
    kind = rng.randrange(5)
    if kind == 0:
        count = rng.randint(1, 12)
        pictures, bulk = list(_pictures(first, count)), rng.random() < 0.7
        return _Caller(range(first, first + count)), lambda: batcher.submit_many(pictures, bulk=bulk)
    if kind == 1:
        count, bulk = rng.randint(1, batcher.max_block_size), rng.random() < 0.5
        block = _pictures(first, count)
        return _Caller(range(first, first + count)), lambda: [batcher.submit_block(block, bulk=bulk)]
    (picture,) = _pictures(first, 1)
    if kind == 2:
        return _Caller(range(first, first + 1)), lambda: [batcher.submit(picture)]
    unreadable = rng.random() < 0.2
    making = _unreadable if unreadable else lambda: picture
    return _Caller(range(first, first + 1), unreadable), lambda: [batcher.submit(making)]


def _pictures(first: int, count: int) -> Array:
    """(count, 1, 1, 1), each its own number; a batcher does not ask how large they are."""
    return np.arange(first, first + count, dtype=np.float32).reshape(count, 1, 1, 1)


def _unreadable() -> Array:
    raise _Unreadable


def _shares(numbers: range, count: int) -> list[range]:
    """The numbers of each future: all in one, or one in each."""
    return [numbers] if count == 1 else [range(number, number + 1) for number in numbers]


def _fault(future: "asyncio.Future[Outcome]", caller: _Caller, device: _Device) -> str | None:
    """What is wrong with what came to a caller."""
    who = f"the caller of {list(caller.numbers)}"
    if not future.done():
        return f"{who} has no answer"
    if caller.done != 1:
        return f"{who} has {caller.done} answers"
    if future.cancelled():
        return None if caller.cancelled else f"{who} was cancelled by another"
    if (error := future.exception()) is not None:
        own = isinstance(error, _Unreadable) and caller.unreadable
        shared = isinstance(error, InferenceFailed) and device.failed.issuperset(caller.numbers)
        given_up = device.failure is not None and isinstance(error, BackendFailed)
        return None if own or shared or given_up else f"{who} got {type(error).__name__} of somebody else"
    got = future.result().rows[:, 0].astype(int).tolist()
    right = got == list(caller.numbers) and device.passed.issuperset(caller.numbers)
    return None if right else f"{who} got {got}"
