"""Where the time goes: by the service's own clock for a lone caller, and by a sampling profiler under load."""

import subprocess
import tempfile
from pathlib import Path

import httpx
import numpy as np

from benchmarks.comparison import table
from benchmarks.running import Running, metric
from benchmarks.speed import digits, environments, wrk
from benchmarks.speed.contestants import OURS
from benchmarks.speed.flame import flame
from benchmarks.speed.part import Goal, Options, Part, Result
from benchmarks.speed.stacks import Stacks

REQUESTS = 1000  # of a lone caller
SAMPLES_A_SECOND = 400
LINES = 10
CONNECTIONS = 64
STAGES = ("app/api", "app/serving", "app/imaging", "app/runtime", "app/lenet")
FLAME = "performance-flame.png"
PASS = "lenet5_inference_duration_seconds"
STATED = ("lenet5_request_duration_seconds", PASS, "lenet5_batch_size")


def measure(options: Options) -> Result:
    """Server-Timing of requests one by one; then /metrics and stacks under load."""
    bodies = digits.pngs()
    with OURS.started(options.environments) as server:
        stages = _stages(server.url, bodies)
        before = httpx.get(server.url + "/metrics").text
        load = wrk.load(server.url + OURS.path, bodies, connections=CONNECTIONS, seconds=options.seconds)
        after = httpx.get(server.url + "/metrics").text
        means = {name: _mean(after, before, name) for name in STATED}
        sampled: Result = {}
        try:
            ends, whole = (_sampled(server, bodies, options, stop=stop) for stop in (False, True))
            sampled = {
                "lines": ends.innermost(LINES),
                "packages": ends.packages(LINES),
                "functions": whole.passed(LINES, STAGES),
                "tree": whole.tree(),
            }
        except (environments.NotInstalled, subprocess.CalledProcessError) as error:
            sampled = {"missing": str(error)}
    return {"stages": stages, "means": means, "rate": load.rate, **sampled}


def _stages(url: str, bodies: list[bytes]) -> dict[str, float]:
    """Medians in seconds of what Server-Timing states, for one caller."""
    parts: dict[str, list[float]] = {}
    with httpx.Client(base_url=url) as client:
        for i in range(REQUESTS):
            timing = client.post(OURS.path, content=bodies[i % len(bodies)]).headers["Server-Timing"]
            for part in timing.split(", "):
                name, _, value = part.partition(";dur=")
                parts.setdefault(name, []).append(float(value) / 1e3)
    return {name: float(np.median(values)) for name, values in parts.items()}


def _mean(after: str, before: str, name: str) -> float:
    total, count = (metric(after, f"{name}_{what}") - metric(before, f"{name}_{what}") for what in ("sum", "count"))
    return total / count if count else 0.0


def _sampled(server: Running, bodies: list[bytes], options: Options, *, stop: bool) -> Stacks:
    """Stacks of a loaded service, which is stopped for each or not.

    With two threads on one core, a service that is stopped is not seen in its forward passes; one that is not may be
    read while it goes on, so that only the innermost frames are to be trusted.
    """
    spy = environments.python("profiler", options.environments).with_name("py-spy")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "stacks"
        command = [str(spy), "record", "--pid", str(server.pid), "--format", "raw", "--output", str(path)]
        command += [
            "--rate",
            str(SAMPLES_A_SECOND),
            "--duration",
            str(options.seconds),
            *(() if stop else ("--nonblocking",)),
        ]
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
            wrk.load(server.url + OURS.path, bodies, connections=CONNECTIONS, seconds=options.seconds + 2)
            if process.wait():
                raise subprocess.CalledProcessError(process.returncode, "py-spy")
        return Stacks.parse(path.read_text(errors="replace"))


def markdown(result: Result) -> str:
    """Stages, means, lines, functions."""
    stages = [[name, f"{1e6 * seconds:.0f}"] for name, seconds in result["stages"].items()]
    request, passed, size = (result["means"][name] for name in STATED)
    text = (
        f"{table([f'stage of a lone request, median of {REQUESTS}', 'us'], stages)}\n"
        f"At {CONNECTIONS} connections a request takes {1e6 / result['rate']:.0f} us of the server's core; by /metrics "
        f"it lasts {1e3 * request:.2f} ms, and a forward pass of {size:.1f} pictures {1e3 * passed:.2f} ms.\n\n"
    )
    if "missing" in result:
        return text + f"No sampling profiler here: {result['missing']}.\n"
    heads = {
        "packages": "where samples end, by package",
        "lines": "the ten most expensive lines, with the C below them",
        "functions": "our functions on the event loop, with all that they call",
    }
    for key, head in heads.items():
        rows = [[f"`{name}`", f"{100 * share:.1f}"] for name, share in result[key].items()]
        text += f"{table([head, '% of samples'], rows)}\n"
    text += "The flame graph shows the event loop; the forward passes run beside it.\n\n"
    return f"{text}![Flame graph](figures/{FLAME})\n"


def figures(result: Result) -> dict[str, bytes]:
    """The flame graph."""
    return {FLAME: flame(result["tree"])} if "tree" in result else {}


def goals(_: Result) -> list[Goal]:
    """None."""
    return []


PART = Part("profile", measure, markdown, goals, figures)
