"""The forward pass alone, on the server's core: against the processor's peak, and against eager torch."""

import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
from torch.utils.flop_counter import FlopCounterMode

from app.imaging import INPUT_SHAPE, from_mnist_form
from app.lenet import model as lenet
from app.lenet.registry import Registry, default_model_dir
from app.runtime import Backend, backend_class
from benchmarks.comparison import table
from benchmarks.speed.machine import cores, pinned
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.rounds import Spread, ratio
from training.datasets import load

BATCHES = (1, 8, 64, 128)
SIDE = 1024  # of the matrices whose product is taken for the peak
SECONDS = 0.3  # of each figure in each round


def seconds_a_call(function: Callable[[], object], seconds: float = SECONDS) -> float:
    """The median of the calls within so many seconds, after two that don't count."""
    function(), function()
    times: list[float] = []
    until = time.perf_counter() + seconds
    while (start := time.perf_counter()) < until or not times:
        function()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


def measure(options: Options) -> Result:
    """In each round every batch on both backends, and the product of two large matrices."""
    folder = Registry.open(default_model_dir(), {}).resolve("lenet5", "digit").folder
    inputs = from_mnist_form(load("mnist-test").pictures[: max(BATCHES)])
    rounds = []
    with pinned(cores()[0]):
        backends: dict[str, Backend] = {
            name: backend_class(name)(folder, max(BATCHES), 1) for name in ("onnx", "torch-cpu")
        }
        matrix = torch.rand(SIDE, SIDE)
        for _ in range(options.rounds):
            found = {"matmul": seconds_a_call(lambda: matrix @ matrix)}
            for size in BATCHES:
                batch = np.ascontiguousarray(inputs[:size])
                for name, backend in backends.items():
                    found[f"{name} {size}"] = seconds_a_call(lambda b=backend, x=batch: b.infer(x))  # type: ignore[misc]
            rounds.append(found)
    return {"rounds": rounds, "operations": operations(lenet.load(folder))}


def operations(model: torch.nn.Module) -> int:
    """Floating-point operations of the products in one picture's forward pass."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        model(torch.zeros(1, *INPUT_SHAPE))
    return int(counter.get_total_flops())


def _column(result: Result, key: str) -> list[float]:
    return [one[key] for one in result["rounds"]]


def _shares(result: Result, key: str, size: int) -> Spread:
    """Of the matrix product's operations a second."""
    peaks = [2 * SIDE**3 / seconds for seconds in _column(result, "matmul")]
    reached = [size * result["operations"] / seconds for seconds in _column(result, key)]
    return ratio(reached, peaks)


def markdown(result: Result) -> str:
    """By batch size."""
    rows = []
    for size in BATCHES:
        ours, eager = _column(result, f"onnx {size}"), _column(result, f"torch-cpu {size}")
        rows.append(
            [
                str(size),
                Spread.of(ours).text(".1f", 1e6),
                Spread.of([size / one for one in ours]).text(",.0f"),
                _shares(result, f"onnx {size}", size).text(".1f", 100),
                ratio(eager, ours).text(".1f"),
            ]
        )
    head = ["batch", "us", "pictures/s", "% of the peak", "torch eager's time over it"]
    peak = Spread.of([2e-9 * SIDE**3 / seconds for seconds in _column(result, "matmul")])
    return (
        f"{table(head, rows)}\nThe peak is that of a float32 product of two {SIDE} x {SIDE} matrices, "
        f"{peak.text('.0f')} GFLOP/s; a picture takes {result['operations']:,} operations in products.\n"
    )


def goals(result: Result) -> list[Goal]:
    """The rows that this part measures."""
    share = _shares(result, "onnx 64", 64).text(".1f", 100)
    eager = ratio(_column(result, "torch-cpu 1"), _column(result, "onnx 1")).text(".1f")
    return [
        Goal(
            "offline forward pass, one core: % of the matrix product's peak at batch 64 / times torch eager at batch 1",
            "25 / 6",
            "40 / 9",
            f"{share} / {eager}",
        )
    ]


PART = Part("passes", measure, markdown, goals)
