"""The dynamic batcher: concurrent callers share forward passes.

A batch is what queued while the device was busy; nobody waits for company unless `max_batch_delay` says so. Each
caller's future is done exactly once, with its own row, and a caller that goes away harms nobody else in its batch.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from dataclasses import dataclass
from time import perf_counter
from typing import NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from app.errors import Draining, InferenceFailed, ServiceError

Array = npt.NDArray[np.float32]
Input = Array | Callable[[], Array]
"""(1, 32, 32), or what makes it once its batch is taken."""
Infer = Callable[[Array], npt.NDArray[np.floating]]  # (n, 1, 32, 32) -> (n, ...): row i answers input i


class Outcome(NamedTuple):
    """One caller's share of a forward pass."""

    row: npt.NDArray[np.floating]
    queued: float  # seconds from submission to the start of the pass
    infer: float  # seconds of the pass


class Observer(Protocol):
    """Is told what the batcher does; the metrics are one."""

    def queued(self, depth: int) -> None:
        """`depth` pictures wait now."""

    def inferred(self, size: int, seconds: float) -> None:
        """A forward pass of `size` pictures took `seconds`."""


@dataclass(slots=True, eq=False)
class _Job:
    input: Input
    future: asyncio.Future[Outcome]
    submitted: float  # perf_counter() time


class Batcher:
    """Gathers pictures from concurrent callers on one event loop and runs `infer` on them.

    Batches of up to `inline` pictures are run on the event loop, larger ones in `executor`: to a thread and back takes
    as long as the pass of a few pictures, and up to 5 ms more where the loop is busy and keeps the interpreter's lock.

    Pictures of `submit` go before those of `submit_many`, so that a bulk request does not starve single ones; while
    both wait, a quarter of every batch is the bulk's, so that it isn't starved either.
    """

    def __init__(
        self,
        infer: Infer,
        executor: Executor,
        *,
        max_batch_size: int,
        max_batch_delay: float = 0.0,
        inline: int = 0,
        observer: Observer,
    ) -> None:
        self._infer = infer
        self._executor = executor
        self._max_batch_size = max_batch_size
        self._max_batch_delay = max_batch_delay
        self._inline = inline
        self._observer = observer
        self._singles: deque[_Job] = deque()
        self._bulk: deque[_Job] = deque()
        self._arrived = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    @property
    def depth(self) -> int:
        """Pictures that wait for a forward pass."""
        return len(self._singles) + len(self._bulk)

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

        The future raises InferenceFailed if its batch fails. Cancel it to give the place up. Raises Draining when
        the batcher is closing.
        """
        return self._enqueue(self._singles, [picture])[0]

    def submit_many(self, pictures: Sequence[Input], *, bulk: bool = True) -> list[asyncio.Future[Outcome]]:
        """Queue the pictures of one request, each as `submit` does; those of a `bulk` request behind single ones."""
        return self._enqueue(self._bulk if bulk else self._singles, pictures)

    def _enqueue(self, lane: deque[_Job], pictures: Sequence[Input]) -> list[asyncio.Future[Outcome]]:
        if self._closing:
            raise Draining("The service is shutting down.")
        loop, now = asyncio.get_running_loop(), perf_counter()
        jobs = [_Job(picture, loop.create_future(), now) for picture in pictures]
        lane.extend(jobs)
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

    async def _gather(self) -> None:
        """Let a burst arrive whole: give the loop turns while more keeps coming, and wait if asked to."""
        if self._max_batch_delay and not self._closing:
            until = min(lane[0].submitted for lane in (self._singles, self._bulk) if lane) + self._max_batch_delay
            while self.depth < self._max_batch_size and not self._closing and (left := until - perf_counter()) > 0:
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
        batch: list[_Job] = []
        reserved = min(len(self._bulk), self._max_batch_size // 4)
        for lane, size in (
            (self._singles, self._max_batch_size - reserved),
            (self._bulk, self._max_batch_size),
            (self._singles, self._max_batch_size),
        ):
            while lane and len(batch) < size:
                job = lane.popleft()
                if not job.future.done():
                    batch.append(job)
        return batch

    async def _answer(self, batch: list[_Job]) -> None:
        """Run one forward pass and do every future of the batch exactly once."""
        try:
            self._observer.queued(self.depth)
            batch, inputs = _made(batch)
            if not batch:
                return
            start = perf_counter()
            if len(batch) <= self._inline:
                rows = self._infer(inputs)
            else:
                rows = await asyncio.get_running_loop().run_in_executor(self._executor, self._infer, inputs)
            if len(rows) != len(batch):
                raise InferenceFailed("The backend's answer has the wrong length.", asked=len(batch), got=len(rows))
            seconds = perf_counter() - start
            self._observer.inferred(len(batch), seconds)
        except Exception as error:  # noqa: BLE001 - whatever it is, the batch is told, and the next batch runs
            for job in batch:
                if not job.future.done():
                    job.future.set_exception(_failure(error))
            return
        for job, row in zip(batch, rows, strict=True):
            if not job.future.done():
                job.future.set_result(Outcome(row, start - job.submitted, seconds))


def _made(batch: Iterable[_Job]) -> tuple[list[_Job], Array]:
    """The jobs whose inputs there are, and these, (n, 1, 32, 32); the others are told why there is none."""
    jobs, inputs = [], []
    for job in batch:
        try:
            inputs.append(job.input() if callable(job.input) else job.input)
        except Exception as error:  # noqa: BLE001 - whatever it is, it is this caller's alone
            job.future.set_exception(error)
        else:
            jobs.append(job)
    return jobs, np.stack(inputs) if inputs else np.zeros((0, 1, 32, 32), np.float32)


def _failure(error: Exception) -> ServiceError:
    """An exception of its own for each future: one that is raised in several tasks gathers all their tracebacks."""
    failure = InferenceFailed("The forward pass failed.", cause=type(error).__name__)
    failure.__cause__ = error
    return failure
