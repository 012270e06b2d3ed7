"""The dynamic batcher: concurrent callers share forward passes.

A batch is what queued while the device was busy; nobody waits for company unless `max_batch_delay` says so. Each
caller's future is done exactly once, with its own row, and a caller that goes away harms nobody else in its batch.
"""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from time import perf_counter
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.errors import BackendFailed, Draining, InferenceFailed, ServiceError

Array = npt.NDArray[np.float32]
Input = Array | Callable[[], Array]
"""One picture (1, 32, 32) or a block of them (k, 1, 32, 32), or what makes a picture once its batch is taken."""
Infer = Callable[[Array], npt.NDArray[np.floating]]  # (n, 1, 32, 32) -> (n, ...): row i answers input i
Examine = Callable[[Exception], Awaitable[BackendFailed | None]]
"""After a forward pass failed: why no other will succeed, or None if it was this one's fault alone."""


class Outcome(NamedTuple):
    """One caller's share of a forward pass."""

    rows: npt.NDArray[np.floating]  # (k, ...), one for each picture of its block
    queued: float  # seconds from submission to the start of the pass
    infer: float  # seconds of the pass

    @property
    def row(self) -> npt.NDArray[np.floating]:
        """What a block of one picture got."""
        only: npt.NDArray[np.floating] = self.rows[0]
        return only


class Observer(Protocol):
    """Is told what the batcher does; the metrics are one."""

    def queued(self, depth: int) -> None:
        """`depth` pictures wait now."""

    def inferred(self, size: int, seconds: float) -> None:
        """A forward pass of `size` pictures took `seconds`."""


class Tracer(Protocol):
    """Knows who submits, and is told whose pictures were in a pass."""

    def caller(self) -> Any:
        """Whoever submits now, for `passed`."""

    def passed(self, callers: Iterable[Any], size: int, seconds: float) -> None:
        """A pass of `size` pictures, of these callers, has just ended and took `seconds`."""


@dataclass(slots=True, eq=False)
class _Job:
    block: Input  # (k, 1, 32, 32), or what makes (1, 32, 32)
    size: int  # k
    future: asyncio.Future[Outcome]
    submitted: float  # perf_counter() time
    caller: Any  # as the tracer has them


class _Lane:
    """Blocks of pictures that wait, in order."""

    def __init__(self) -> None:
        self.jobs: deque[_Job] = deque()
        self.depth = 0  # pictures

    def add(self, jobs: Sequence[_Job]) -> None:
        self.jobs.extend(jobs)
        self.depth += _pictures(jobs)

    def take(self, room: int) -> list[_Job]:
        """The next blocks, as many as `room` pictures hold, without those whose callers went away."""
        taken: list[_Job] = []
        while self.jobs and (job := self.jobs[0]).size <= room:
            self.jobs.popleft()
            self.depth -= job.size
            if not job.future.done():
                taken.append(job)
                room -= job.size
        return taken


class Batcher:
    """Gathers pictures from concurrent callers on one event loop and runs `infer` on them.

    Batches of up to `inline` pictures are run on the event loop, larger ones in `executor`: to a thread and back takes
    as long as the pass of a few pictures, and up to 5 ms more where the loop is busy and keeps the interpreter's lock.

    What is submitted as bulk goes behind what is not, so that a bulk request does not starve single ones. While both
    wait, a quarter of every batch is the bulk's: no less, so that it isn't starved either, and no more, so that single
    ones need not wait for a full pass.
    """

    def __init__(
        self,
        infer: Infer,
        executor: Executor,
        examine: Examine,
        *,
        max_batch_size: int,
        max_batch_delay: float = 0.0,
        inline: int = 0,
        observer: Observer,
        tracer: Tracer | None = None,
    ) -> None:
        self._infer = infer
        self._executor = executor
        self._examine = examine
        self._max_batch_size = max_batch_size
        self.max_block_size = max(1, max_batch_size // 4)  # so that one fits into the bulk's quarter
        self._max_batch_delay = max_batch_delay
        self._inline = inline
        self._observer = observer
        self._tracer = tracer
        self._singles = _Lane()
        self._bulk = _Lane()
        self._arrived = asyncio.Event()
        self._closing = False
        self._failure: BackendFailed | None = None  # why nothing is answered any more
        self._task: asyncio.Task[None] | None = None

    @property
    def depth(self) -> int:
        """Pictures that wait for a forward pass."""
        return self._singles.depth + self._bulk.depth

    def start(self) -> None:
        """Begin to run batches on the running event loop."""
        self._task = asyncio.get_running_loop().create_task(self._run(), name="batcher")

    async def close(self) -> None:
        """Take nothing more, answer what was taken, stop."""
        self._closing = True
        self._arrived.set()
        if self._task is not None:
            await self._task

    def submit(self, picture: Input) -> asyncio.Future[Outcome]:
        """Queue one picture.

        An input that is yet to be made is made when its batch is taken, on the event loop, one after the other: the
        processor's caches then hold that code alone, and a picture takes half the time that it takes where each is
        read in its turn. What making one raises is its future's exception, and harms no other.

        The future raises InferenceFailed if its batch fails, BackendFailed if no batch will succeed any more. Cancel
        it to give the place up. Raises Draining when the batcher is closing, and BackendFailed.
        """
        return self._enqueue(self._singles, [picture if callable(picture) else picture[None]])[0]

    def submit_many(self, pictures: Sequence[Array], *, bulk: bool = True) -> list[asyncio.Future[Outcome]]:
        """Queue the pictures of one request, each as `submit` does; those of a `bulk` request behind single ones."""
        return self._enqueue(self._bulk if bulk else self._singles, [picture[None] for picture in pictures])

    def submit_block(self, block: Array, *, bulk: bool) -> asyncio.Future[Outcome]:
        """Queue pictures (k, 1, 32, 32), 1 <= k <= `max_block_size`, that are run together, as `submit` does one."""
        return self._enqueue(self._bulk if bulk else self._singles, [block])[0]

    def _enqueue(self, lane: _Lane, blocks: Sequence[Input]) -> list[asyncio.Future[Outcome]]:
        if self._failure is not None:
            raise BackendFailed(self._failure.message)
        if self._closing:
            raise Draining("The service is shutting down.")
        loop, now = asyncio.get_running_loop(), perf_counter()
        caller = None if self._tracer is None else self._tracer.caller()
        jobs = [
            _Job(block, 1 if callable(block) else len(block), loop.create_future(), now, caller) for block in blocks
        ]
        lane.add(jobs)
        self._observer.queued(self.depth)
        self._arrived.set()
        return [job.future for job in jobs]

    async def _run(self) -> None:
        while True:
            if not self.depth:
                if self._closing:
                    return
                self._arrived.clear()
                await self._arrived.wait()
                continue
            await self._gather()
            await self._answer(self._take())
            if self._failure is not None:
                for lane in (self._singles, self._bulk):
                    _give_up(lane.take(lane.depth), self._failure)
                return
            await asyncio.sleep(0)  # a pass on the event loop has given nobody else a turn

    async def _gather(self) -> None:
        """Let a burst arrive whole: give the loop turns while more keeps coming, and wait if asked to.

        Bulk does not wait: its blocks come one after the other, and each would wait anew.
        """
        if self._max_batch_delay and not self._bulk.depth and not self._closing:
            until = self._singles.jobs[0].submitted + self._max_batch_delay
            while self.depth < self._max_batch_size and not self._bulk.depth and not self._closing:
                if (left := until - perf_counter()) <= 0:
                    return
                self._arrived.clear()
                try:
                    await asyncio.wait_for(self._arrived.wait(), left)
                except TimeoutError:
                    return
        seen = 0
        while seen < self.depth < self._max_batch_size:
            seen = self.depth
            await asyncio.sleep(0)

    def _take(self) -> list[_Job]:
        """The next batch, without callers that went away."""
        size = self._max_batch_size
        batch = self._singles.take(size - min(self._bulk.depth, size // 4))
        batch += self._bulk.take(min(size - _pictures(batch), self.max_block_size) if batch else size)
        return batch + self._singles.take(size - _pictures(batch))

    async def _answer(self, batch: list[_Job]) -> None:
        """Run one forward pass and do every future of the batch exactly once."""
        try:
            self._observer.queued(self.depth)
            batch, blocks = _made(batch)
            if not batch:
                return
            inputs = np.concatenate(blocks) if len(blocks) > 1 else blocks[0]  # (n, 1, 32, 32)
            start = perf_counter()
            if len(inputs) <= self._inline:
                rows = self._infer(inputs)
            else:
                rows = await asyncio.get_running_loop().run_in_executor(self._executor, self._infer, inputs)
            if len(rows) != len(inputs):
                raise InferenceFailed("The backend's answer has the wrong length.", asked=len(inputs), got=len(rows))
            seconds = perf_counter() - start
            self._observer.inferred(len(inputs), seconds)
            if self._tracer is not None:
                self._tracer.passed((job.caller for job in batch), len(inputs), seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the batch is told, and the next batch runs
            self._failure = await self._examine(error)
            _give_up(batch, self._failure or error)
            return
        end = 0
        for job in batch:
            begin, end = end, end + job.size
            if not job.future.done():
                job.future.set_result(Outcome(rows[begin:end], start - job.submitted, seconds))


def _pictures(jobs: Sequence[_Job]) -> int:
    return sum(job.size for job in jobs)


def _made(batch: Iterable[_Job]) -> tuple[list[_Job], list[Array]]:
    """The jobs whose pictures there are, and these, (k, 1, 32, 32) each; the others are told why there is none."""
    jobs: list[_Job] = []
    blocks: list[Array] = []
    for job in batch:
        try:
            blocks.append(job.block()[None] if callable(job.block) else job.block)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this caller's alone
            job.future.set_exception(error)
        else:
            jobs.append(job)
    return jobs, blocks


def _give_up(jobs: Iterable[_Job], error: Exception) -> None:
    """Tell everybody who still waits for these."""
    for job in jobs:
        if not job.future.done():
            job.future.set_exception(_told(error))


def _told(error: Exception) -> ServiceError:
    """An exception of its own for each future: one that is raised in several tasks gathers all their tracebacks."""
    if isinstance(error, BackendFailed):
        return BackendFailed(error.message)
    failure = InferenceFailed("The forward pass failed.", cause=type(error).__name__)
    failure.__cause__ = error
    return failure
