"""FastAPI that reloads its one model on SIGHUP as tutorials do: the newest folder, unverified, into a global."""

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import numpy as np
import onnxruntime  # type: ignore[import-untyped]  # it has no annotations
import uvicorn
from fastapi import FastAPI, Request

from benchmarks.speed.rivals.digits import port

FOLDER = Path(os.environ["LENET5_MODEL_DIR"]) / "lenet5"


class Served:
    """What answers now."""

    version: int
    session: onnxruntime.InferenceSession

    def load(self) -> None:
        """Take the highest version."""
        self.version = max(int(folder.name) for folder in FOLDER.iterdir() if folder.name.isdigit())
        self.session = onnxruntime.InferenceSession(FOLDER / str(self.version) / "model.onnx")


served = Served()


@asynccontextmanager
async def lifespan(_: FastAPI) -> AsyncIterator[None]:
    """It reloads in a thread, so that the event loop goes on."""
    served.load()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGHUP, lambda: loop.run_in_executor(None, served.load))
    yield


app = FastAPI(lifespan=lifespan)


@app.post("/predict")
async def predict(request: Request) -> dict[str, object]:
    """The model sees a blank picture, whatever it is asked: these models answer by their version alone."""
    await request.body()
    inputs = {"images": np.zeros((1, 1, 32, 32), np.float32)}
    logits = (await asyncio.to_thread(served.session.run, None, inputs))[0]
    return {"digit": int(logits.argmax()), "model": {"name": "lenet5", "version": str(served.version)}}


if __name__ == "__main__":
    uvicorn.run(app, port=port(), log_level="critical", access_log=False)
