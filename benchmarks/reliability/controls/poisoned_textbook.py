"""The batcher as it stands in the books, on a device that fails for good once the file named by POISON is there."""

import os
from pathlib import Path

import torch
import uvicorn

from app.lenet.model import LeNet5
from benchmarks.reliability.poisoned import FATAL
from benchmarks.speed.rivals import digits, textbook

answer = digits.predict


def poisoned(model: LeNet5, batch: list[torch.Tensor]) -> list[digits.Answer]:
    """A forward pass; raises RuntimeError while the file is there."""
    if Path(os.environ["POISON"]).exists():
        raise RuntimeError(FATAL)
    return answer(model, batch)


digits.predict = poisoned

if __name__ == "__main__":
    uvicorn.run(textbook.app, port=digits.port(), log_level="critical", access_log=False)
