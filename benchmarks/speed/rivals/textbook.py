"""FastAPI with a batcher as it stands in the books: a queue, and a task that waits for company up to a deadline."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import torch
import uvicorn
from fastapi import FastAPI, Request

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64
MAX_WAIT = 0.002  # seconds

Job = tuple[torch.Tensor, "asyncio.Future[digits.Answer]"]
model = digits.network()
queue: asyncio.Queue[Job] = asyncio.Queue()


async def batches() -> None:
    """Gather, run, answer, for ever."""
    loop = asyncio.get_running_loop()
    while True:
        jobs = [await queue.get()]
        until = loop.time() + MAX_WAIT
        while len(jobs) < MAX_BATCH_SIZE:
            try:
                jobs.append(await asyncio.wait_for(queue.get(), until - loop.time()))
            except TimeoutError:
                break
        answers = await loop.run_in_executor(None, digits.predict, model, [job[0] for job in jobs])
        for (_, future), answer in zip(jobs, answers, strict=True):
            if not future.done():
                future.set_result(answer)


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """The batcher runs as long as the application."""
    task = asyncio.create_task(batches())
    yield
    task.cancel()


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> digits.Answer:
    """One picture as the raw body."""
    future: asyncio.Future[digits.Answer] = asyncio.get_running_loop().create_future()
    queue.put_nowait((digits.pixels(await request.body()), future))
    return await future


if __name__ == "__main__":
    uvicorn.run(app, port=digits.port(), log_level="warning", access_log=False)
