"""Load from wrk, a client in C: a Python client is slower than the service and would measure itself."""

import re
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.speed.machine import on_load_core

SCRIPT = """
local requests = {}
init = function()
  for _, path in ipairs({%s}) do
    local file = io.open(path, "rb")
    requests[#requests + 1] = wrk.format("POST", nil, {%s}, file:read("*a"))
    file:close()
  end
end
local turn = 0
request = function()
  turn = turn %% #requests + 1
  return requests[turn]
end
"""
TIMEOUT = 10  # seconds that an answer may take


@dataclass(frozen=True)
class Load:
    """What wrk measured."""

    requests: int
    rate: float  # requests a second
    p50: float  # seconds
    p99: float
    errors: int  # answers other than 2xx and 3xx, and socket errors


def load(
    url: str,
    bodies: Sequence[bytes],
    *,
    connections: int,
    seconds: int,
    content_type: str = "image/png",
    headers: Mapping[str, str] | None = None,
    anywhere: bool = False,
) -> Load:
    """A closed loop that posts `bodies` in turn, with further `headers`, from the load's core or from `anywhere`.

    Raises FileNotFoundError when there is no wrk.
    """
    if shutil.which("wrk") is None:
        raise FileNotFoundError("this benchmark needs wrk (Debian: apt-get install wrk)")
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / str(i) for i in range(len(bodies))]
        for path, body in zip(paths, bodies, strict=True):
            path.write_bytes(body)
        script = Path(folder) / "post.lua"
        sent = {"Content-Type": content_type} | dict(headers or {})
        lua = (f'"{path}"' for path in paths), (f'["{name}"] = "{value}"' for name, value in sent.items())
        script.write_text(SCRIPT % tuple(map(", ".join, lua)))
        options = ["-t1", f"-c{connections}", f"-d{seconds}s", f"--timeout={TIMEOUT}s", "--latency", f"-s{script}"]
        command = [*(() if anywhere else on_load_core()), "wrk", *options, url]
        output = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return parse(output)


def parse(output: str) -> Load:
    """What wrk printed, with --latency. Raises RuntimeError when it is not that."""
    errors = [int(n) for n in re.findall(r"(?:connect|read|write|timeout|responses:) (\d+)", output)]
    return Load(
        requests=int(_find(r"(\d+) requests in", output)),
        rate=float(_find(r"Requests/sec:\s+([\d.]+)", output)),
        p50=_seconds(_find(r"(?m)^\s+50%\s+(\S+)", output)),
        p99=_seconds(_find(r"(?m)^\s+99%\s+(\S+)", output)),
        errors=sum(errors),
    )


def _find(pattern: str, text: str) -> str:
    found = re.search(pattern, text)
    if found is None:
        raise RuntimeError(f"wrk printed something else: {text}")
    return found[1]


def _seconds(text: str) -> float:
    """wrk's `1.23ms` as seconds."""
    found = re.fullmatch(r"([\d.]+)(us|ms|s|m)", text)
    if found is None:
        raise RuntimeError(f"wrk printed a time of another form: {text}")
    return float(found[1]) * {"us": 1e-6, "ms": 1e-3, "s": 1, "m": 60}[found[2]]
