"""Who is measured: this service, the rivals, the floors; how each is started and asked."""

import base64
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import numpy as np

from benchmarks.forms import encode, gray
from benchmarks.running import Running, service
from benchmarks.speed import environments
from benchmarks.speed.machine import on_server_core

ROOT = Path(__file__).parents[2]
START_SECONDS = 60
STOP_SECONDS = 10
JSON = "application/json"
BLANK = encode(gray(np.zeros((28, 28))))


class NotStarted(Exception):
    """A rival did not answer in time; its last words go to standard error."""


def _raw(png: bytes) -> bytes:
    return png


def _base64(png: bytes) -> str:
    return base64.b64encode(png).decode()


def _json(png: bytes) -> bytes:
    return json.dumps({"image": _base64(png)}).encode()


def _json_list(png: bytes) -> bytes:
    return json.dumps({"images": [_base64(png)]}).encode()


def _protocol(png: bytes) -> bytes:
    """The Open Inference Protocol v2, JSON."""
    tensor = {"name": "image", "shape": [1], "datatype": "BYTES", "data": [_base64(png)]}
    return json.dumps({"inputs": [tensor]}).encode()


def _digit(answer: Any) -> int:
    return int(answer["digit"])


def _first_digit(answer: Any) -> int:
    return int(answer[0]["digit"])


def _protocol_digit(answer: Any) -> int:
    return int(next(output for output in answer["outputs"] if output["name"] == "digit")["data"][0])


@dataclass(frozen=True)
class Contestant:
    """A server of digits."""

    name: str  # as the tables have it
    module: str = ""  # of benchmarks.speed.rivals; empty: this service
    environment: str = ""  # of rivals/requirements
    path: str = "/predict"
    content_type: str = "image/png"
    pack: Callable[[bytes], bytes] = _raw  # a PNG to a request's body
    digit: Callable[[Any], int] = _digit  # of an answer's JSON
    constant: bool = False  # a floor, which reads nothing

    def started(self, folder: Path) -> AbstractContextManager[Running]:
        """It, answering, on the server's core. Raises NotInstalled, NotStarted."""
        return _rival(self, folder) if self.module else service(prefix=on_server_core())

    def ask(self, client: httpx.Client, png: bytes) -> int:
        """The digit that it answers. Raises httpx.HTTPError."""
        answer = client.post(self.path, content=self.pack(png), headers={"Content-Type": self.content_type})
        return self.digit(answer.raise_for_status().json())


OURS = Contestant("this service")
MOSEC = Contestant("mosec", "mosec_torch", "mosec", "/inference")
MOSEC_OWN = Contestant(
    "mosec with our own decoding, normalisation and forward pass", "mosec_own", "mosec", "/inference"
)
TUTORIAL = Contestant("tutorial: FastAPI, a forward pass in each request", "tutorial", "fastapi")
TEXTBOOK = Contestant("FastAPI, a textbook batcher", "textbook", "fastapi")
BARE = Contestant("floor: bare ASGI, a constant", "bare_asgi", "fastapi", constant=True)
ROUTE = Contestant("floor: FastAPI route, a constant", "constant_route", "fastapi", constant=True)
OTHERS = (
    Contestant("LitServe", "litserve_batched", "litserve", "/predict", JSON, _json),
    Contestant("BentoML", "bentoml_batched", "bentoml", "/predict", JSON, _json_list, _first_digit),
    Contestant("MLServer", "mlserver_batched", "mlserver", "/v2/models/digits/infer", JSON, _protocol, _protocol_digit),
    Contestant("Ray Serve", "ray_batched", "ray"),
)
CONTESTANTS = (OURS, MOSEC, MOSEC_OWN, TEXTBOOK, TUTORIAL, *OTHERS, BARE, ROUTE)


@contextmanager
def _rival(contestant: Contestant, folder: Path) -> Iterator[Running]:
    interpreter = environments.python(contestant.environment, folder)
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    module = f"benchmarks.speed.rivals.{contestant.module}"
    log = folder / f"{contestant.module}.log"
    with (
        log.open("wb") as out,
        subprocess.Popen(
            [*on_server_core(), str(interpreter), "-m", module, "--port", str(port)],
            cwd=ROOT,
            env=os.environ | {"PYTHONPATH": str(ROOT)},
            stdout=out,
            stderr=out,
            start_new_session=True,
        ) as process,
    ):
        try:
            url = f"http://127.0.0.1:{port}"
            _wait(contestant, url, process, log)
            yield Running(url, process.pid)
        finally:
            _end(process)


def _wait(contestant: Contestant, url: str, process: subprocess.Popen[bytes], log: Path) -> None:
    """Until it has answered a picture."""
    until = time.monotonic() + START_SECONDS
    with httpx.Client(base_url=url) as client:
        while time.monotonic() < until and process.poll() is None:
            try:
                contestant.ask(client, BLANK)
                return
            except httpx.HTTPError:
                time.sleep(0.1)
    sys.stderr.write(log.read_text(errors="replace")[-2000:])
    raise NotStarted(f"no answer within {START_SECONDS} s")


def _end(process: subprocess.Popen[bytes]) -> None:
    """It and all that it started."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, number)
            process.wait(STOP_SECONDS)
        except ProcessLookupError:
            return
        except subprocess.TimeoutExpired:
            pass
