"""Test error as a caller sees it: all 10,000 MNIST test digits, as PNG, over HTTP; beside the card's figure.

python -m benchmarks.accuracy_over_http [--url URL]
"""

import argparse
import asyncio
import time

import httpx
import numpy as np
from rich.progress import track

from benchmarks.forms import plain
from benchmarks.running import service
from training.datasets import load

CONNECTIONS = 64


def main() -> None:
    """Measure, and print one line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--url", help="a running service; by default one is started")
    url = parser.parse_args().url
    if url:
        asyncio.run(measure(url))
    else:
        with service() as started:
            asyncio.run(measure(started.url))


async def measure(url: str) -> None:
    """Post every test digit once and compare the answers with the labels."""
    data = load("mnist-test")
    rng = np.random.default_rng(0)
    bodies = [plain(picture, rng) for picture in data.pictures]
    start = time.perf_counter()
    answers = np.full(len(bodies), -1)
    limits = httpx.Limits(max_connections=CONNECTIONS)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        queue = iter(track(range(len(bodies)), description="posting"))

        async def caller() -> None:
            for i in queue:
                response = await client.post("/predict", content=bodies[i], headers={"Content-Type": "image/png"})
                answers[i] = response.raise_for_status().json()["digit"]

        await asyncio.gather(*(caller() for _ in range(CONNECTIONS)))
        models = (await client.get("/models")).json()["models"]
    seconds = time.perf_counter() - start
    misses = int((answers != data.labels).sum())
    served = next(model for model in models if model["default"] and model["task"] == "digit")
    print(f"{served['name']}:{served['version']}  {misses} of {len(bodies)} misread over HTTP, in {seconds:.0f} s")
    card = served["metrics"]["mnist-test"]
    print(f"error {misses / len(bodies):.2%}; the card says {card['misses']} misses, {card['error_percent']} %")


if __name__ == "__main__":
    main()
