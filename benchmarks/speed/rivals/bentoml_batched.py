"""BentoML with its adaptive batching: one worker; a request is a list of pictures in base64, here of one."""

import base64
import os
import sys

import bentoml

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64


@bentoml.service(workers=1, logging={"access": {"enabled": False}})
class Digits:
    """One worker."""

    def __init__(self) -> None:
        self.model = digits.network()

    @bentoml.api(batchable=True, max_batch_size=MAX_BATCH_SIZE)
    def predict(self, images: list[str]) -> list[dict]:  # what BentoML makes a schema of
        """A batch."""
        return digits.predict(self.model, [digits.pixels(base64.b64decode(image)) for image in images])


if __name__ == "__main__":
    service = "benchmarks.speed.rivals.bentoml_batched:Digits"
    options = ["--host", "127.0.0.1", "--port", str(digits.port())]
    os.execv(sys.executable, [sys.executable, "-m", "bentoml", "serve", service, *options])
