"""Promise 17: with keys set nothing but health answers without one, and no log has a key or a byte of a picture."""

import logging
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from tempfile import TemporaryDirectory

import httpx
from fastapi import FastAPI

from app.keys import OPEN
from app.main import create_app
from app.settings import Settings
from benchmarks.reliability.controls import talkative
from benchmarks.reliability.hostile.mutations import mutated
from benchmarks.reliability.hostile.seeds import seeds
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.routes import paths
from benchmarks.reliability.secrets_sought import GOOD, MARK, WRONG, leaks, marked_picture, requests
from benchmarks.reliability.servers import Running, control, service

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
STRANGERS: tuple[dict[str, str], ...] = ({}, {"X-API-Key": WRONG}, {"Authorization": f"Basic {GOOD}"})

Server = Callable[[Path], AbstractContextManager[Running]]
"""What is measured, logging into the file."""


def _service(log: Path) -> AbstractContextManager[Running]:
    keys = log.with_name("keys")
    keys.write_text(f"bank={GOOD}\n")
    return service("--api-keys-file", str(keys), "--access-log", "--log-level", "debug", log=log)


def _unasked(client: httpx.Client, app: FastAPI) -> Iterator[str]:
    """What answers a stranger although it should not."""
    for path in sorted(set(paths(app.routes)) - OPEN):
        for method in METHODS:
            statuses = {client.request(method, path, headers=headers).status_code for headers in STRANGERS}
            if statuses != {401}:
                yield f"{method} {path} without a key: {min(statuses)}"


def _send(client: httpx.Client, case: int, seed: int) -> None:
    """One request of those that are full of secrets, its picture sound or mutated."""
    picture = marked_picture()
    if case % 2:
        picture = mutated(case, seed, (picture, *seeds())) + MARK
    path, arguments = requests(picture)[case // 2 % len(requests(b""))]
    client.post(path, **arguments)


def _measured(server: Server, app: FastAPI, ask: Ask) -> Trial:
    logging.getLogger("httpx").setLevel(logging.WARNING)  # making the application has configured our own log too
    with TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with server(log) as running, httpx.Client(base_url=running.url, timeout=60) as client:
            found = list(_unasked(client, app))
            for case in range(ask.start, ask.start + ask.amount):
                _send(client, case, ask.seed)
        text = log.read_text(errors="backslashreplace")
    traces = leaks(text)
    notes = (*found[:3], *(f"in the log: {trace}" for trace in traces))
    figures = {
        "paths": float(len(set(paths(app.routes)))),
        "answers without a key": float(len(found)),
        "traces of secrets in the log": float(len(traces)),
        "lines in the log": float(text.count("\n")),
    }
    return Trial(ask.amount, int(bool(notes)), figures, notes)


PROMISE = Promise(
    number=17,
    name="keys",
    says="with keys set no route but health answers without one, and no key and no byte of a picture is in the log",
    unit="requests full of secrets",
    full=20_000,
    small=340,
    portion=5_000,
    bounds={
        "paths": Bound(""),
        "answers without a key": Bound("", most=0),
        "traces of secrets in the log": Bound("", most=0),
        "lines in the log": Bound("", least=340),  # of fewer nothing follows
    },
    keep=lambda ask: _measured(_service, create_app(Settings(device="cpu")), ask),
    control=lambda ask: _measured(lambda log: control("talkative", log=log), talkative.app, ask),
    against="FastAPI with a key on its route and a log for debugging",
)
