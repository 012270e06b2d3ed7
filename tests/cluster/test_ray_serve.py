"""The service as a deployment of Ray Serve, on several nodes: real ray, real processes, real HTTP."""

import asyncio
import socket
import sys
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from nodes import kill

pytest.importorskip("ray", reason="ray is not installed: it has an environment of its own, see CONTRIBUTING.md")

from ray import cloudpickle, serve

from app import ray_serve
from app.errors import BackendFailed
from app.main import create_app
from app.ray_serve import Replica, Scale, application, by_pictures

PNG = {"Content-Type": "image/png"}
CALLERS = 8
cloudpickle.register_pickle_by_value(sys.modules[__name__])  # Ray's processes have not imported it
pytestmark = pytest.mark.filterwarnings("default")  # Ray's own


class Breakable(Replica):
    """One whose device can be broken from outside."""

    def break_device(self) -> None:
        self._service.lifecycle.fail(BackendFailed("The device computes no more."))


@pytest.fixture(scope="module")
def url(cluster) -> Iterator[str]:
    """Of the proxy, on the head."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    serve.start(proxy_location="HeadOnly", http_options={"host": "127.0.0.1", "port": port})
    yield f"http://127.0.0.1:{port}"
    serve.shutdown()


def run(**scale: Any) -> None:
    """Serve, and wait until all replicas do."""
    serve.run(application(Scale(**scale)))
    until(lambda: replicas() == scale["replicas"])


def replicas() -> int:
    """How many answer."""
    return serve.status().applications["default"].deployments["lenet5"].replica_states.get("RUNNING", 0)


def until(condition: Callable[[], object], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.1)


@dataclass
class Load:
    """Callers that ask again as soon as they are answered; what each got, and when it had asked."""

    url: str
    pictures: list[bytes]
    expected: list[Any]
    answered: int = 0
    wrong: int = 0
    failed: list[tuple[int, float]] = field(default_factory=list)  # which caller, when it had asked
    _done: threading.Event = field(default_factory=threading.Event)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def call(self, caller: int) -> None:
        number = caller
        with httpx.Client(base_url=self.url, timeout=60) as client:
            while not self._done.is_set():
                number = (number + 1) % len(self.pictures)
                asked = time.monotonic()
                try:
                    answer = client.post("/predict", content=self.pictures[number], headers=PNG)
                    digit = answer.json()["digit"] if answer.status_code == 200 else None
                except httpx.HTTPError:
                    digit = None
                with self._lock:
                    self.answered += 1
                    if digit is None:
                        self.failed.append((caller, asked))
                    elif digit != self.expected[number]:
                        self.wrong += 1

    def more(self, count: int) -> None:
        """Wait for so many further answers."""
        goal = self.answered + count
        until(lambda: self.answered >= goal)

    @contextmanager
    def running(self) -> Iterator[None]:
        callers = [threading.Thread(target=self.call, args=(caller,)) for caller in range(CALLERS)]
        for caller in callers:
            caller.start()
        try:
            yield
        finally:
            self._done.set()
            for caller in callers:
                caller.join()


@pytest.fixture
def load(url, digits) -> Load:
    """Digits with what the service answers without Ray."""
    return Load(url, digits, [answer["digit"] for answer in here([("/predict", one) for one in digits])])


def here(requests: list[tuple[str, bytes]]) -> list[Any]:
    """What the application answers in this process."""

    async def answers() -> list[Any]:
        app = create_app()
        transport = httpx.ASGITransport(app)
        async with app.router.lifespan_context(app), httpx.AsyncClient(transport=transport, base_url="http://x") as to:
            return [(await to.post(path, content=content, headers=PNG)).json() for path, content in requests]

    return asyncio.run(answers())


def test_it_answers_as_the_service_does(url, digits):
    """A digit, a broken picture and a field get through Ray what the application says, with one request id."""
    run(replicas=1)
    requests = [("/predict", digits[0]), ("/predict", b"no picture"), ("/read?kind=digits&length=1", digits[0])]
    for (path, content), expected in zip(requests, here(requests), strict=True):
        found = httpx.post(url + path, content=content, headers={**PNG, "X-Request-ID": "mine"})
        assert found.json() == expected
        assert found.headers.get_list("X-Request-ID") == ["mine"]
        assert "Server-Timing" in found.headers or found.is_error
    assert httpx.get(url + "/health/ready").json() == {"status": "ready"}


def test_a_killed_node_loses_only_what_was_in_flight_on_it(cluster, load, url):
    """Every process of a node is killed under load: no caller loses more than one answer, none that began later."""
    run(replicas=2)
    killed = next(iter(cluster.worker_nodes))
    with load.running():
        load.more(100)
        kill(killed)
        gone = time.monotonic()
        load.more(300)
    cluster.remove_node(killed, allow_graceful=False)
    cluster.add_node(num_cpus=1)
    until(lambda: replicas() == 2)
    assert load.wrong == 0
    lost = [caller for caller, _ in load.failed]
    assert len(lost) == len(set(lost))
    assert all(asked < gone for _, asked in load.failed)


def test_a_new_version_takes_over_without_a_lost_answer(load, url, monkeypatch):
    """A replica is replaced under load: that which goes answers what it has."""
    run(replicas=1)
    monkeypatch.setenv("LENET5_DIGIT_MODEL", "lenet5:1")  # by default the highest version
    with load.running():
        load.more(50)
        run(replicas=1)
        until(
            lambda: (
                httpx.post(url + "/predict", content=load.pictures[0], headers=PNG).json()["model"]["version"] == "1"
            )
        )
        load.more(50)
    assert load.failed == []


def test_a_replica_whose_device_fails_is_replaced(url, digits, monkeypatch):
    """It says 503 in our JSON, fails Ray's check of its health, and another one answers."""
    monkeypatch.setattr(ray_serve, "Replica", Breakable)
    run(replicas=1)
    serve.get_app_handle("default").break_device.remote().result()
    refused = httpx.post(url + "/predict", content=digits[0], headers=PNG)
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, BackendFailed.code)
    until(lambda: httpx.post(url + "/predict", content=digits[0], headers=PNG, timeout=60).status_code == 200)


def test_replicas_follow_the_pictures(url, digits):
    """Two requests with many pictures bring a second replica, none takes it away again."""
    run(replicas=1, max_replicas=2, pictures=32, upscale_delay=0, downscale_delay=0)
    files = [("files", (f"{number}.png", one, "image/png")) for number, one in enumerate(digits)]
    busy = threading.Event()

    def ask() -> None:
        while not busy.is_set():
            httpx.post(url + "/predict/batch", files=files, timeout=60).raise_for_status()

    with ThreadPoolExecutor(2) as callers:
        asking = [callers.submit(ask) for _ in range(2)]
        try:
            until(lambda: replicas() == 2)
        finally:
            busy.set()
        for one in asking:
            one.result()
    until(lambda: replicas() == 1)


@pytest.mark.parametrize(("held", "waiting", "wanted"), [([0, 0], 0, 0), ([64, 1], 0, 2), ([60, 60], 10, 3)])
def test_pictures_count_and_not_requests(held, waiting, wanted):
    """What replicas hold, and what waits for them, over what each may."""
    context = SimpleNamespace(
        aggregated_metrics={ray_serve.HELD: dict(enumerate(held))},
        total_queued_requests=waiting,
        config=SimpleNamespace(target_ongoing_requests=64),
    )
    assert by_pictures(context) == (wanted, {})
