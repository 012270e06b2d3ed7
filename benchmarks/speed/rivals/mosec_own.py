"""mosec whose worker runs what this service runs: its decoding, its normalisation, its forward pass."""

import argparse
import sys

import msgspec
import numpy as np
import numpy.typing as npt
from mosec import Server, Worker

from app.imaging import DecodeLimits, decode, normalize
from app.lenet.registry import Registry, default_model_dir
from app.runtime import open_backend

MAX_BATCH_SIZE = 64
MAX_WAIT = 1  # milliseconds


class Digits(Worker):
    """One process."""

    def __init__(self) -> None:
        folder = Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder
        self.backend = open_backend(folder, device="cpu", max_batch_size=MAX_BATCH_SIZE)
        self.backend.warm_up()
        self.limits = DecodeLimits()

    def deserialize(self, data: bytearray) -> npt.NDArray[np.float32]:
        """A raw body to the network's input."""
        return normalize(decode(bytes(data), self.limits)).input

    def serialize(self, data: dict[str, object]) -> bytes:
        """In place of its own, which indents the JSON in Python."""
        return msgspec.json.encode(data)

    def forward(self, data: list[npt.NDArray[np.float32]]) -> list[dict[str, object]]:
        """A batch."""
        logits = self.backend.infer(np.stack(data))[:, :10]
        odds = np.exp(logits - logits.max(1, keepdims=True))
        probabilities = odds / odds.sum(1, keepdims=True)
        digits = probabilities.argmax(1).tolist()
        return [{"digit": d, "probabilities": p} for d, p in zip(digits, probabilities.tolist(), strict=True)]


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--port", required=True)
    sys.argv[1:] = ["--port", parser.parse_args().port, "--address", "127.0.0.1", "--log-level", "warning"]
    server = Server()
    server.append_worker(Digits, num=1, max_batch_size=MAX_BATCH_SIZE, max_wait_time=MAX_WAIT)
    server.run()
