"""Promise 1: no answer is lost when a service is told to end."""

import json
import signal
import socket
import sys
from contextlib import ExitStack, suppress

from benchmarks.reliability.neighbour import PICTURE
from benchmarks.reliability.network.replicas import Clients, Command, running
from benchmarks.reliability.promise import Ask, Bound, Promise, Trial
from benchmarks.reliability.servers import many_files

IN_FLIGHT = 1_000
HANGING = 5  # requests whose bodies never come to an end
DRAIN_DELAY = 0.5  # seconds in which a balancer notices that a replica is not ready
DRAIN_TIMEOUT = 2.0  # seconds
WORKERS = 1, 4
HEAD = b"POST /predict HTTP/1.1\r\nHost: leaving\r\nContent-Type: image/png\r\nContent-Length: %d\r\n\r\n"


def ours(*options: str) -> Command:
    """The service, under these options."""
    command = [sys.executable, "-m", "app", "serve", *options]
    return lambda port: [*command, "--port", str(port)]


def _uvicorn(*_: str) -> Command:
    command = [sys.executable, "-m", "uvicorn", "app.main:app", "--no-access-log"]
    return lambda port: [*command, "--port", str(port)]


def _rolling(command: Command, amount: int) -> tuple[int, list[str], list[int]]:
    """Requests answered while each of two replicas is restarted, and on to `amount`; the faults, the exit codes."""
    with running(command, 2) as replicas, Clients(replicas, PICTURE.read_bytes()) as clients:
        for replica in replicas:
            replica.stop()
            replica.start()
        clients.until(amount)
    return (
        clients.answered,
        [fault for _, fault in clients.faults],
        [code for replica in replicas for code in replica.codes],
    )


def in_flight(command: Command, count: int) -> tuple[list[str], int]:
    """What is wrong with the answers to requests under way when SIGTERM comes, and the exit code.

    Half of them are complete, the others' last bytes are still to come; and `HANGING` more never end.
    """
    picture = PICTURE.read_bytes()
    request = HEAD % len(picture) + picture
    with many_files(), ExitStack() as stack, running(command, 1) as (replica,):
        sockets = [
            stack.enter_context(socket.create_connection(("127.0.0.1", replica.port), timeout=30))
            for _ in range(count + HANGING)
        ]
        for one in sockets:
            one.sendall(request[:-1])
        for one in sockets[: count // 2]:
            one.sendall(request[-1:])
        replica.signal(signal.SIGTERM)
        for one in sockets[count // 2 : count]:
            with suppress(OSError):
                one.sendall(request[-1:])
        said = [_said(one) for one in sockets]
        code = replica.ended()
    faults = [f"in flight: {one}" for one in said[:count] if one != "200"]
    return faults + [f"left over: {one}" for one in said[count:] if one != "503 draining"], code


def _said(one: socket.socket) -> str:
    """The status of an answer, and its code where it is an error."""
    answer = b""
    try:
        while data := one.recv(65_536):
            answer += data
            head, _, body = answer.partition(b"\r\n\r\n")
            with suppress(ValueError):
                said = json.loads(body)
                status = head[9:12].decode()
                return status if status == "200" else f"{status} {said['error']['code']}"
    except OSError as error:
        return type(error).__name__
    return "cut off"


def _measured(command: Command, leaving: list[Command], ask: Ask) -> Trial:
    answered, faults, codes = _rolling(command, ask.amount)
    for one in leaving:
        lost, code = in_flight(one, IN_FLIGHT)
        faults += lost
        codes.append(code)
    figures = {"restarts": len(codes), "exit codes other than 0": sum(code != 0 for code in codes)}
    return Trial(answered + IN_FLIGHT * len(leaving), len(faults), figures, tuple(faults[:10]))


def _keep(ask: Ask) -> Trial:
    drain = f"--drain-timeout={DRAIN_TIMEOUT}"
    leaving = [ours(drain, f"--workers={workers}") for workers in WORKERS]
    return _measured(ours(drain, f"--drain-delay={DRAIN_DELAY}"), leaving, ask)


PROMISE = Promise(
    number=1,
    name="restarts",
    says="at SIGTERM whatever is under way is answered, with 1 and with 4 workers, what is left at the grace limit "
    "gets a JSON 503, and clients that watch /health/ready lose nothing while two replicas are restarted in turn",
    unit="requests",
    full=100_000,
    small=4_000,
    portion=10_000,
    bounds={"restarts": Bound("a portion", least=2), "exit codes other than 0": Bound("", most=0)},
    keep=_keep,
    control=lambda ask: _measured(_uvicorn(), [_uvicorn()], ask),
    against="our application on plain uvicorn",
    in_ci=False,
)
