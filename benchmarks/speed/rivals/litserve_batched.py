"""LitServe with its batching: one worker, JSON with the picture in base64, as its own examples have it."""

import base64
from typing import Any

import litserve
import torch

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64
MAX_WAIT = 0.002  # seconds


class Digits(litserve.LitAPI):
    """What one worker does."""

    def setup(self, device: str) -> None:  # noqa: ARG002  # LitServe calls it so
        """Load the network."""
        self.model = digits.network()

    def decode_request(self, request: dict[str, str]) -> torch.Tensor:
        """A body to the network's input."""
        return digits.pixels(base64.b64decode(request["image"]))

    def batch(self, inputs: list[torch.Tensor]) -> list[torch.Tensor]:
        """They stay a list."""
        return inputs

    def predict(self, x: list[torch.Tensor]) -> list[digits.Answer]:
        """A batch."""
        return digits.predict(self.model, x)

    def unbatch(self, output: list[digits.Answer]) -> list[digits.Answer]:
        """They are a list already."""
        return output

    def encode_response(self, output: digits.Answer) -> Any:
        """As it is."""
        return output


if __name__ == "__main__":
    api = Digits(max_batch_size=MAX_BATCH_SIZE, batch_timeout=MAX_WAIT)
    server = litserve.LitServer(api, accelerator="cpu", workers_per_device=1)
    server.run(host="127.0.0.1", port=digits.port(), num_api_servers=1, log_level="warning", generate_client_file=False)
