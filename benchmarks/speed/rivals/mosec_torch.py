"""mosec: a front in Rust, and a worker that decodes and runs eager torch."""

import sys

import torch
from mosec import Server, Worker

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64
MAX_WAIT = 1  # milliseconds


class Digits(Worker):
    """One process."""

    def __init__(self) -> None:
        self.model = digits.network()

    def deserialize(self, data: bytes) -> torch.Tensor:
        """A raw body to the network's input."""
        return digits.pixels(data)

    def forward(self, data: list[torch.Tensor]) -> list[digits.Answer]:
        """A batch."""
        return digits.predict(self.model, data)


if __name__ == "__main__":
    number = digits.port()
    sys.argv[1:] = ["--port", str(number), "--address", "127.0.0.1", "--log-level", "warning"]
    server = Server()
    server.append_worker(Digits, num=1, max_batch_size=MAX_BATCH_SIZE, max_wait_time=MAX_WAIT)
    server.run()
