"""Ray Serve with its batching: one replica, the picture as the raw body."""

import signal
import sys

import ray
from ray import serve
from starlette.requests import Request

from benchmarks.speed.rivals import digits

MAX_BATCH_SIZE = 64
MAX_WAIT = 0.002  # seconds


@serve.deployment(num_replicas=1, max_ongoing_requests=512, logging_config={"enable_access_log": False})
class Digits:
    """One replica."""

    def __init__(self) -> None:
        self.model = digits.network()

    @serve.batch(max_batch_size=MAX_BATCH_SIZE, batch_wait_timeout_s=MAX_WAIT)
    async def predict(self, pictures: list[bytes]) -> list[digits.Answer]:
        """A batch."""
        return digits.predict(self.model, [digits.pixels(picture) for picture in pictures])

    async def __call__(self, request: Request) -> digits.Answer:
        """One picture."""
        answer: digits.Answer = await self.predict(await request.body())
        return answer


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ray.init(include_dashboard=False, num_cpus=2)
    serve.start(http_options={"host": "127.0.0.1", "port": digits.port()})
    serve.run(Digits.bind(), route_prefix="/predict")
    signal.pause()
