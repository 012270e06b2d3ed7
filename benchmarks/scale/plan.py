"""How many machines, and how much network: arithmetic from what one process was measured to do."""

from dataclasses import dataclass
from math import ceil
from statistics import median

from benchmarks.scale import queue
from benchmarks.scale.measured import BATCH, MOST, TENSOR
from benchmarks.speed.part import Result

RATES = (10_000, 100_000, 1_000_000)  # pictures a second
BUSY = 0.7  # of what a process can: up to there the tail is short, and a tenth of the machines may be away
SPARE = 0.1  # of the processes, and at least one: a machine may die, another be upgraded
MACHINE = 32  # cores of a machine
SYSTEM = 4  # of those, for the kernel's part of the network and for what else runs there
MEMORY = 0.18  # GB of a process, docs/performance.md, At rest
SEGMENT, FRAME = 1448, 90  # bytes of TCP's payload in a packet of 1500, and of all that is around it on the wire
GIGABIT = 1e9 / 8


@dataclass(frozen=True)
class Form:
    """A way to send pictures, and what one process on one core does with it."""

    name: str
    pictures: int  # in a request
    rate: float  # pictures a second that are planned for a process
    sent: float  # bytes of a request, for each picture in it
    answered: float


@dataclass(frozen=True)
class Need:
    """What a rate takes in one form."""

    processes: int
    machines: int
    memory: float  # GB, of all machines
    gbit_in: float
    gbit_out: float
    packets: float  # a second, both ways, without those that only acknowledge


def service(result: Result, round_: int | None = None) -> queue.Service:
    """The service curve of a round, or of the medians of all."""
    rounds = result["rounds"] if round_ is None else [result["rounds"][round_]]
    points = [
        (median(one["batch"] for one in at), median(one["seconds"] for one in at))
        for at in zip(*(one["curve"] for one in rounds), strict=True)
    ]
    return queue.curve({max(1, min(MOST, round(batch))): seconds for batch, seconds in points})


def wire(result: Result, round_: int) -> float:
    """Seconds of a lone request in which the core does nothing for it: its way, and its client."""
    first = result["rounds"][round_]["curve"][0]
    return float(max(0.0, first["p50"] - first["seconds"]))


def forms(result: Result) -> list[Form]:
    """One picture a request, a form with many, a tensor."""
    measured = {"single": [one["curve"][-1]["rate"] for one in result["rounds"]]}
    measured |= {what: [one["many"][what] for one in result["rounds"]] for what in ("batch", "tensor")}
    pictures = {"single": 1, "batch": BATCH, "tensor": TENSOR}
    names = {
        "single": "`/predict`, a PNG a request",
        "batch": f"`/predict/batch`, {BATCH} PNGs a request",
        "tensor": f"`/v2`, {TENSOR:,} digits a request",
    }
    return [Form(names[what], pictures[what], BUSY * median(measured[what]), *result["sizes"][what]) for what in names]


def needed(form: Form, rate: float) -> Need:
    """What so many pictures a second take."""
    busy = rate / form.rate
    processes = ceil(busy) + max(1, ceil(SPARE * busy))
    bytes_in, bytes_out, packets = 0.0, 0.0, 0.0
    for direction, size in (("in", form.sent), ("out", form.answered)):
        whole = size * form.pictures
        count = ceil(whole / SEGMENT)
        on_wire = rate / form.pictures * (whole + FRAME * count)
        packets += rate / form.pictures * count
        bytes_in, bytes_out = (on_wire, bytes_out) if direction == "in" else (bytes_in, on_wire)
    machines = max(2, ceil(processes / (MACHINE - SYSTEM)))
    return Need(processes, machines, MEMORY * processes, bytes_in / GIGABIT, bytes_out / GIGABIT, packets)
