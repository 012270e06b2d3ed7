"""The Docker engine as the tests drive it: by its command line, as a user does."""

import json
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
HARDENED = ("--read-only", "--tmpfs", "/tmp:size=64m", "--cap-drop", "ALL", "--security-opt", "no-new-privileges")
PATIENCE = 60.0  # seconds in which something must come to be on a busy machine


def docker(*arguments: str) -> str:
    """The output of a docker command; an AssertionError with what it said if it fails."""
    done = subprocess.run(["docker", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"docker {' '.join(arguments)}\n{done.stdout}{done.stderr}"
    return done.stdout.strip()


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a condition; an AssertionError after PATIENCE."""
    give_up = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < give_up, f"not within {PATIENCE} s: {what}"
        time.sleep(0.05)


@dataclass(frozen=True)
class Answer:
    """What came back over HTTP."""

    status: int  # 0 where nothing answered
    body: bytes

    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


def call(url: str, body: bytes | None = None, headers: Mapping[str, str] | None = None) -> Answer:
    """GET, or POST of a PNG."""
    own = {"Content-Type": "image/png"} if body else {}
    request = urllib.request.Request(url, body, own | dict(headers or {}))
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return Answer(answer.status, answer.read())
    except urllib.error.HTTPError as refusal:
        return Answer(refusal.code, refusal.read())
    except OSError:
        return Answer(0, b"")


@dataclass(frozen=True)
class Container:
    """One container of the service, reached from outside through a published port."""

    id: str
    host: str
    port: int

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://{self.host}:{self.port}"

    def ready(self) -> bool:
        """Whether /health/ready says so."""
        return call(f"{self.url}/health/ready").status == 200

    def await_ready(self) -> None:
        """Wait until it is ready; an AssertionError with its log if it ends instead."""
        until(lambda: self.ready() or self.state()["Status"] == "exited", "ready")
        assert self.state()["Status"] == "running", docker("logs", self.id)

    def state(self) -> Any:
        """The engine's view: Status, ExitCode, Health and more."""
        return json.loads(docker("inspect", "--format", "{{json .State}}", self.id))

    def health(self) -> str:
        """What the health check has come to: starting, healthy or unhealthy."""
        return str(self.state()["Health"]["Status"])

    def python(self, code: str) -> Any:
        """The JSON that a program prints inside."""
        return json.loads(docker("exec", self.id, "python", "-c", code))


def container(name_or_id: str) -> Container:
    """The container of that name, which publishes port 8000."""
    host, port = docker("port", name_or_id, "8000/tcp").splitlines()[0].rsplit(":", 1)
    return Container(name_or_id, host, int(port))


@contextmanager
def running(image: str, *options: str, command: Sequence[str] = ()) -> Iterator[Container]:
    """A container that answers on a free port, hardened as compose has it; removed at the end."""
    started = docker("run", "--detach", *HARDENED, "--publish", "127.0.0.1::8000", *options, image, *command)
    try:
        yield container(started)
    finally:
        docker("rm", "--force", "--volumes", started)
