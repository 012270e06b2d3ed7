"""What goes wrong between a client and its service, on real sockets."""

import socket
import struct
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import chain, repeat
from select import select
from typing import Self

Answer = tuple[int, Mapping[str, str], bytes]

JSON = {"Content-Type": "application/json"}
PREDICTION = (
    200,
    JSON,
    b'{"digit":7,"confidence":0.9,"probabilities":[0,0,0,0,0,0,0,1,0,0],"accepted":true,"reasons":[],'
    b'"model":{"name":"lenet5","version":"1"}}',
)


def refusal(status: int, code: str, **headers: str) -> tuple[int, dict[str, str], bytes]:
    """As the service refuses."""
    said = {name.replace("_", "-"): value for name, value in headers.items()}
    return status, JSON | said, b'{"error":{"code":"%s","message":"No.","details":{"limit":1}}}' % code.encode()


class Proxy:
    """Passes TCP connections on to a port, each with the fault that is its turn.

    pass: none. drop: closed before anything is read. reset: cut hard once the request has come. truncate: the answer
    ends before its last 10 bytes. close: after one answer. delay: so too, and the answer comes 0.3 s later. drip: it
    comes a byte a tenth of a second. hang: it never comes.
    """

    def __init__(self, to: int, faults: Sequence[str], port: int = 0) -> None:
        """Listens at `port` for what goes to the port `to`."""
        self._port = to
        self._faults = chain(faults, repeat("pass"))
        self._listening = socket.create_server(("127.0.0.1", port))
        self._ended = threading.Event()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        self.connections = 0
        threading.Thread(target=self._accept, daemon=True).start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._listening.close()

    def _accept(self) -> None:
        while True:
            try:
                caller, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._pass, args=(caller, next(self._faults)), daemon=True).start()

    def _pass(self, caller: socket.socket, fault: str) -> None:
        with suppress(OSError), caller, socket.create_connection(("127.0.0.1", self._port)) as service:
            while fault != "drop" and not self._ended.is_set():
                for ready in select([caller, service], [], [], 0.1)[0]:
                    if ready is service and fault != "pass":  # all of the answer will be there
                        self._ended.wait(0.3 if fault == "delay" else 0.02)
                    if not (data := ready.recv(65536)):
                        return
                    if ready is caller:
                        service.sendall(data)
                    elif not self._answer(caller, data, fault):
                        return

    def _answer(self, caller: socket.socket, data: bytes, fault: str) -> bool:
        """Hand on what the service says; False where that was the last of it."""
        match fault:
            case "hang":
                self._ended.wait()
            case "reset":  # closing sends RST instead of what is waited for
                caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case "truncate":
                caller.sendall(data[:-10])
            case "drip":
                for byte in data:
                    caller.sendall(bytes([byte]))
                    if self._ended.wait(0.1):
                        break
            case _:
                caller.sendall(data)
        return fault == "pass"


@dataclass(frozen=True)
class Request:
    """One that has come."""

    path: str
    headers: Mapping[str, str]
    body: bytes
    at: float  # seconds, of a monotonic clock
    at_once: int  # requests under way, this one included


class Answering(ThreadingHTTPServer):
    """Answers what it is told, in turn, and the last of it for ever."""

    daemon_threads = True

    def __init__(self, answers: Sequence[Answer], seconds: float = 0) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.answers = chain(answers, repeat(answers[-1]))
        self.seconds = seconds  # that each takes
        self.requests: list[Request] = []
        self.under_way = 0
        self.lock = threading.Lock()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    def __exit__(self, *_: object) -> None:
        self.shutdown()
        self.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Answering

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        with self.server.lock:
            self.server.under_way += 1
            headers = {name.lower(): value for name, value in self.headers.items()}
            self.server.requests.append(Request(self.path, headers, body, time.monotonic(), self.server.under_way))
            status, sent, content = next(self.server.answers)
        time.sleep(self.server.seconds)
        with self.server.lock:
            self.server.under_way -= 1
        self.send_response(status)
        for name, value in {**sent, "Content-Length": str(len(content))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self) -> None:
        self.do_POST()

    def log_message(self, *_: object) -> None:
        """Say nothing."""
