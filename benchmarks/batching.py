"""How requests share forward passes, and what that costs a lone caller.

    python -m benchmarks.batching [--seconds 5] [--requests 3200] [--workers 4]

Load comes from wrk in a closed loop, with no delay configured; the forward passes are those that /metrics counted.
Then the answers of 64 concurrent Python clients are compared with those of the same pictures sent alone, and the
counts of several workers with what the clients counted.
"""

import argparse
import asyncio
import os
import platform
import time
from collections import Counter
from importlib.metadata import version

import httpx
import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks import wrk
from benchmarks.forms import plain
from benchmarks.running import metric, service
from training.datasets import load

PICTURES = 640
CLIENTS = 64
PASSES = ("lenet5_batch_size_count", "lenet5_batch_size_sum")


async def closed_loop(url: str, bodies: list[bytes], requests: int, callers: int) -> tuple[np.ndarray, np.ndarray]:
    """`callers` clients that each send again once answered.

    Returns the probabilities of every request, float64 (requests, 10), and its seconds, float64 (requests,).
    """
    answers, seconds = np.empty((requests, 10)), np.empty(requests)
    limits = httpx.Limits(max_connections=callers, max_keepalive_connections=callers)
    async with httpx.AsyncClient(base_url=url, limits=limits, timeout=60) as client:
        turns = iter(range(requests))

        async def caller() -> None:
            for i in turns:
                start = time.perf_counter()
                response = await client.post("/predict", content=bodies[i % len(bodies)])
                seconds[i] = time.perf_counter() - start
                answers[i] = response.raise_for_status().json()["probabilities"]

        await asyncio.gather(*(caller() for _ in range(callers)))
    return answers, seconds


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=int, default=5, help="of each load by wrk")
    parser.add_argument("--requests", type=int, default=3200, help="of each load by Python clients")
    parser.add_argument("--workers", type=int, default=4, help="of the last row")
    options = parser.parse_args()
    rng = np.random.default_rng(0)
    bodies = [plain(picture, rng) for picture in load("mnist-train").pictures[:PICTURES]]

    console = Console()
    with service() as url:
        console.print(shared_passes(url, bodies, options.seconds))
        console.print(lone_caller(url, bodies, options.requests // 10))
        console.print(same_answers(url, bodies, options.requests))
    console.print(workers_add_up(bodies, options.requests, options.workers))
    console.print(
        f"{os.cpu_count()} cores of {platform.machine()}, Python {platform.python_version()}, "
        f"onnxruntime {version('onnxruntime')}; the clients run on the same cores"
    )


def shared_passes(url: str, bodies: list[bytes], seconds: int) -> Table:
    """Requests a forward pass, by the number of connections."""
    table = Table(title="Requests that share forward passes")
    for column in ("connections", "requests/s", "requests a pass", "p50 ms", "p99 ms", "errors"):
        table.add_column(column, justify="right")
    for connections in (1, 8, 64, 256):
        before = httpx.get(url + "/metrics").text
        measured = wrk.load(url + "/predict", bodies, connections=connections, seconds=seconds)
        after = httpx.get(url + "/metrics").text
        passes, pictures = (metric(after, name) - metric(before, name) for name in PASSES)
        table.add_row(
            str(connections),
            f"{measured.rate:.0f}",
            f"{pictures / passes:.1f}",
            f"{measured.p50 * 1e3:.2f}",
            f"{measured.p99 * 1e3:.2f}",
            str(measured.errors),
        )
    return table


def same_answers(url: str, bodies: list[bytes], requests: int) -> str:
    """Whether 64 concurrent clients get the answers that each picture gets alone."""
    alone, _ = asyncio.run(closed_loop(url, bodies, len(bodies), 1))
    answers, _ = asyncio.run(closed_loop(url, bodies, requests, CLIENTS))
    expected = alone[np.arange(requests) % len(bodies)]
    digits = int((answers.argmax(1) != expected.argmax(1)).sum())
    return (
        f"{CLIENTS} clients, {requests} requests: {digits} digits other than alone, "
        f"probabilities differ by {np.abs(answers - expected).max():.1e} at most"
    )


def lone_caller(url: str, bodies: list[bytes], requests: int) -> str:
    """What the batcher adds for a caller that is alone, by the service's own Server-Timing."""
    parts: dict[str, list[float]] = {"decode": [], "queue": [], "infer": []}
    with httpx.Client(base_url=url) as client:
        for i in range(requests):
            timing = client.post("/predict", content=bodies[i % len(bodies)]).headers["Server-Timing"]
            for part in timing.split(", "):
                name, _, value = part.partition(";dur=")
                parts[name].append(float(value))
    medians = ", ".join(f"{name} {np.median(values):.3f} ms" for name, values in parts.items())
    return f"A lone caller, medians of {requests}: {medians}"


def workers_add_up(bodies: list[bytes], requests: int, workers: int) -> str:
    """Whether /metrics of several workers equals what the clients counted, by status."""
    sent = Counter({"200": 0, "422": 0})
    with service("--workers", str(workers)) as url:

        async def run() -> None:
            async with httpx.AsyncClient(base_url=url, timeout=60) as client:
                turns = iter(range(requests))

                async def caller() -> None:
                    for i in turns:
                        body = bodies[i % len(bodies)] if i % 10 else b"no picture"
                        sent[str((await client.post("/predict", content=body)).status_code)] += 1

                await asyncio.gather(*(caller() for _ in range(CLIENTS)))

        asyncio.run(run())
        text = httpx.get(url + "/metrics").text
    counted = {
        status: int(metric(text, "lenet5_requests_total", endpoint="/predict", status=status)) for status in sent
    }
    verdict = "equal" if counted == dict(sent) else "DIFFERENT"
    return f"{workers} workers: clients counted {dict(sent)}, /metrics {counted}: {verdict}"


if __name__ == "__main__":
    main()
