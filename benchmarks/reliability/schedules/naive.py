"""A batcher as one writes it first: right as long as nobody goes away and no pass fails."""

import asyncio
from collections.abc import Sequence
from concurrent.futures import Executor

import numpy as np

from app.serving.batcher import Array, Examine, Infer, Input, Observer, Outcome


class NaiveBatcher:
    """A queue, a task, and a result for each future. The same calls as ours."""

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
    ) -> None:
        del examine, max_batch_delay, inline, observer
        self._infer, self._executor, self._most = infer, executor, max_batch_size
        self.max_block_size = max(1, max_batch_size // 4)
        self._queue: asyncio.Queue[tuple[Input, asyncio.Future[Outcome]]] = asyncio.Queue()

    @property
    def depth(self) -> int:
        """Blocks that wait."""
        return self._queue.qsize()

    def start(self) -> None:
        """Begin to run batches."""
        self._task = asyncio.get_running_loop().create_task(self._run())

    async def close(self) -> None:
        """Stop."""
        self._task.cancel()

    def submit(self, picture: Input) -> asyncio.Future[Outcome]:
        """Queue one picture."""
        return self.submit_block(picture if callable(picture) else picture[None], bulk=False)  # type: ignore[arg-type]  # as ours, made later

    def submit_many(self, pictures: Sequence[Array], *, bulk: bool = True) -> list[asyncio.Future[Outcome]]:
        """Queue many."""
        return [self.submit_block(picture[None], bulk=bulk) for picture in pictures]

    def submit_block(self, block: Array, *, bulk: bool) -> asyncio.Future[Outcome]:
        """Queue a block."""
        del bulk
        future: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._queue.put_nowait((block, future))
        return future

    async def _run(self) -> None:
        while True:
            jobs = [await self._queue.get()]
            while not self._queue.empty() and len(jobs) < self._most:
                jobs.append(self._queue.get_nowait())
            blocks = [block()[None] if callable(block) else block for block, _ in jobs]
            rows = await asyncio.get_running_loop().run_in_executor(self._executor, self._infer, np.concatenate(blocks))
            end = 0
            for block, (_, future) in zip(blocks, jobs, strict=True):
                begin, end = end, end + len(block)
                future.set_result(Outcome(rows[begin:end], 0.0, 0.0))
