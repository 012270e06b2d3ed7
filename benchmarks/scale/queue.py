"""The queue of one process: whoever waits when it is free shares the next batch, and all leave together.

That is the batcher's discipline ("the batch is what queued while the device was busy") with the whole of a request's
work in the service time: on one core parsing, decoding, the forward pass and the answer take turns with each other.
"""

from collections.abc import Callable, Mapping

import numpy as np
import numpy.typing as npt

Seconds = npt.NDArray[np.float64]
Service = Callable[[int], float]
"""How many requests share a batch -> the seconds that it takes."""


def curve(seconds: Mapping[int, float]) -> Service:
    """The service times between the measured ones by straight lines; a larger batch costs in proportion."""
    sizes = sorted(seconds)
    largest = sizes[-1]
    table = np.interp(range(largest + 1), sizes, [seconds[size] for size in sizes])
    return lambda size: float(table[size] if size <= largest else table[largest] * size / largest)


def poisson(rate: float, count: int, seed: int) -> Seconds:
    """When so many callers come, who know nothing of each other: a rate in 1/s, times from 0 on."""
    return np.cumsum(np.random.default_rng(seed).exponential(1 / rate, count))


def latencies(arrivals: Seconds, service: Service, most: int) -> Seconds:
    """How long each caller waits for the answer, from an idle start; at most `most` share a batch."""
    waited = np.empty_like(arrivals)
    first, free = 0, 0.0
    while first < len(arrivals):
        start = max(free, float(arrivals[first]))
        last = min(int(np.searchsorted(arrivals, start, "right")), first + most)
        free = start + service(last - first)
        waited[first:last] = free - arrivals[first:last]
        first = last
    return waited
