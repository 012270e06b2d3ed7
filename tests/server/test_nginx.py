"""deploy/nginx/lenet5.conf, run by nginx as it is but for ports, addresses and folders, before a service with a key."""

import json
import os
import re
import shutil
import socket
import ssl
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from time import monotonic
from typing import Any

import httpx
import pytest
from lenet5_client.schemas import ErrorBody
from running import Running, service, until

from app.settings import MEBI, Settings

NEEDED = ("nginx", "openssl")
MISSING = [name for name in NEEDED if shutil.which(name) is None]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"not installed: {' and '.join(MISSING)}")

EXAMPLE = (Path(__file__).parents[2] / "deploy" / "nginx" / "lenet5.conf").read_text()
KEY = "SECRETKEY0123456789"
OPTIONS = ("--access-log", "--log-format", "json", "--forwarded-allow-ips", "127.0.0.1")
VARIABLES = {"LENET5_API_KEYS": f"bank={KEY}"}


class Proxy:
    """nginx with the example before services on this machine."""

    def __init__(self, folder: Path, *upstream: Running) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.certificate, self.log = folder / "tls.crt", folder / "access.log"
        text = EXAMPLE
        for found, put in {
            "listen 443 ssl http2;": f"listen 127.0.0.1:{self.port} ssl http2;",
            "listen [::]:443 ssl http2;": "",
            "server 127.0.0.1:8000 max_fails=0;": " ".join(
                f"server 127.0.0.1:{one.port} max_fails=0;" for one in upstream
            ),
            "/etc/nginx/tls/digits.example": str(folder / "tls"),
            "/var/log/nginx/lenet5.log": str(self.log),
            "/run/nginx-lenet5": str(folder / "bodies"),
        }.items():
            assert found in text, found
            text = text.replace(found, put)
        (folder / "lenet5.conf").write_text(text)
        temporary = " ".join(f"{name}_temp_path {folder}/{name};" for name in ("fastcgi", "proxy", "scgi", "uwsgi"))
        user = "user root;" if os.geteuid() == 0 else ""  # www-data cannot enter a folder of pytest's
        (folder / "nginx.conf").write_text(
            f"{user} daemon off; pid {folder}/pid; error_log stderr; events {{}}\n"
            f"http {{ {temporary} client_body_temp_path {folder}/other; include {folder}/lenet5.conf; }}\n"
        )
        subject = ("-subj", "/CN=digits.example", "-addext", "subjectAltName=DNS:digits.example,IP:127.0.0.1")
        pair = ("-out", str(self.certificate), "-keyout", str(folder / "tls.key"), "-days", "2", "-nodes")
        subprocess.run(
            ["openssl", "req", "-x509", "-newkey", "rsa:2048", *pair, *subject], check=True, stderr=subprocess.DEVNULL
        )
        self.command = ["nginx", "-e", "stderr", "-p", str(folder), "-c", str(folder / "nginx.conf")]

    def caller(self, address: str, **headers: str) -> httpx.Client:
        """A client at an address of the loopback network, with the key; rates are counted for each address."""
        transport = httpx.HTTPTransport(verify=self.trust(), local_address=address)
        base, headers = f"https://127.0.0.1:{self.port}", {"X-API-Key": KEY, **headers}
        return httpx.Client(transport=transport, base_url=base, headers=headers, timeout=60)

    def trust(self) -> ssl.SSLContext:
        return ssl.create_default_context(cafile=self.certificate)

    def listens(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0


@contextmanager
def proxied(folder: Path, *upstream: Running) -> Iterator[Proxy]:
    """nginx, up until the context ends."""
    proxy = Proxy(folder, *upstream)
    with (folder / "error.log").open("w") as errors, subprocess.Popen(proxy.command, stderr=errors) as process:
        try:
            until(lambda: proxy.listens() or process.poll() is not None)
            assert process.poll() is None, (folder / "error.log").read_text()
            yield proxy
        finally:
            process.terminate()  # and not kill: its worker would stay
            process.wait(30)
    said = (folder / "error.log").read_text()
    assert not re.search(r"\[(warn|emerg|alert|crit)\]", said), said


@pytest.fixture(scope="module")
def running(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service behind it."""
    log = tmp_path_factory.mktemp("service") / "log"
    with service(log, *OPTIONS, LENET5_MODEL_DIR=str(model_dir), **VARIABLES) as one:
        yield one


@pytest.fixture(scope="module")
def proxy(running: Running, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The example before it."""
    with proxied(tmp_path_factory.mktemp("nginx"), running) as one:
        yield one


def refusal(answer: httpx.Response) -> tuple[int, str, dict[str, Any]]:
    """Status, code and details of a refusal in the service's form, with what each answer carries."""
    error = ErrorBody.model_validate_json(answer.content).error
    assert answer.headers["content-type"] == "application/json"
    assert len(answer.headers.get_list("x-request-id")) == 1
    assert "strict-transport-security" in answer.headers
    return answer.status_code, error.code, error.details


def test_a_picture_is_read_over_tls(proxy, running, digits):
    """Answer, id and key pass through; without TLS nothing does, and HTTP/2 is offered."""
    with proxy.caller("127.0.0.1", **{"X-Request-ID": "mine"}) as client:
        answer = client.post("/predict", content=digits[0])
        straight = httpx.post(running.url + "/predict", content=digits[0], headers={"X-API-Key": KEY})
        assert (answer.status_code, answer.json()) == (200, straight.json())
        assert answer.headers.get_list("x-request-id") == ["mine"]
        assert answer.headers.get_list("x-content-type-options") == ["nosniff"]
        assert "decode" in answer.headers["server-timing"]
        assert "1." not in answer.headers["server"]  # no version of nginx
        assert refusal(client.get("/models", headers={"X-API-Key": "wrong"}))[:2] == (401, "unauthorized")
    assert httpx.get(f"http://127.0.0.1:{proxy.port}/models", headers={"X-API-Key": KEY}).status_code == 400
    offer = proxy.trust()
    offer.set_alpn_protocols(["h2", "http/1.1"])
    plain = socket.create_connection(("127.0.0.1", proxy.port))
    with offer.wrap_socket(plain, server_hostname="digits.example") as secure:
        assert secure.selected_alpn_protocol() == "h2"
        assert secure.version() in ("TLSv1.2", "TLSv1.3")


def test_the_caller_is_whoever_reaches_the_proxy(proxy, running):
    """The service logs the address from which nginx was reached, and not what the caller says that it is."""
    forged = {"X-Forwarded-For": "203.0.113.7", "X-Real-IP": "203.0.113.7", "Forwarded": "for=203.0.113.7"}
    with proxy.caller("127.0.0.9", **forged, **{"X-Request-ID": "forged"}) as client:
        assert client.get("/models").status_code == 200
    until(lambda: '"forged"' in running.log)
    (line,) = [line for line in running.log.splitlines() if '"forged"' in line]
    assert json.loads(line)["client"] == "127.0.0.9"


def test_an_address_that_asks_too_often_waits_and_others_do_not(proxy):
    """Past its rate an address gets 429 with Retry-After in the service's form, and another one still its answers."""
    begun, taken = monotonic(), 0
    with proxy.caller("127.0.0.3") as greedy, proxy.caller("127.0.0.4") as other:
        while (answer := greedy.get("/health/live")).status_code == 200:
            taken += 1
            assert taken < 5000, "nothing was refused"
        allowed = 100 + 1 + 50 * (monotonic() - begun)  # the example's burst and rate
        assert 100 <= taken <= allowed
        assert refusal(answer) == (429, "too_many_requests", {})
        assert answer.headers["retry-after"] == "1"
        assert other.get("/health/live").status_code == 200


def test_what_is_too_large_is_said_by_both_alike(proxy):
    """Over nginx's limit, and over the service's own for the path, the answer is a 413 with the same code."""
    with proxy.caller("127.0.0.5") as client:
        ours = client.post("/predict", content=bytes(9 * MEBI))
        theirs = client.post("/predict/batch", content=bytes(64 * MEBI + 1))
        tensor = client.post("/v2/models/lenet5/infer", content=bytes(64 * MEBI + 1))
    assert refusal(ours) == (413, "body_too_large", {"limit": 8 * MEBI})
    assert refusal(theirs) == (413, "body_too_large", {})
    assert (tensor.status_code, tensor.json()["error"][:15]) == (413, "body_too_large:")


def test_its_limits_are_the_settings_defaults():
    """What the example says of bodies, headers and deadlines is what the service holds by default."""
    settings = Settings()

    def given(directive: str) -> str:
        (value,) = re.findall(rf"^\s*{directive}\s+([^;]+);", EXAMPLE, re.MULTILINE)
        return value

    def seconds(directive: str) -> float:
        return float(given(directive).removesuffix("s"))

    assert given("client_max_body_size") == f"{settings.max_batch_body_bytes // MEBI}m"
    assert given("client_body_buffer_size") == f"{settings.max_body_bytes // MEBI}m"
    number, size = given("large_client_header_buffers").split()
    assert int(number) * int(size.removesuffix("k")) * 1024 == settings.max_header_bytes
    assert seconds("client_header_timeout") == settings.header_timeout
    assert seconds("client_body_timeout") == settings.body_timeout
    (upstream, _) = re.findall(r"keepalive_timeout\s+(\d+)s;", EXAMPLE)
    assert int(upstream) < settings.keep_alive_timeout


def test_connections_to_the_service_are_kept(proxy, running):
    """One request after the other goes over one connection, which stays open."""
    port = f":{running.port:04X}"

    def open_connections() -> set[str]:
        rows = [row.split() for row in Path("/proc/net/tcp").read_text().splitlines()[1:]]
        return {row[1] for row in rows if row[2].endswith(port) and row[3] == "01"}  # 01: established

    with proxy.caller("127.0.0.6") as client:
        seen = set()
        for _ in range(30):
            assert client.get("/models").status_code == 200
            seen |= open_connections()
    assert len(seen) == 1


def test_metrics_stay_inside_and_logs_have_no_secret(proxy, running, digits):
    """/metrics is not to be had from outside; neither log has a key, a query or anything of a picture."""
    with proxy.caller("127.0.0.7") as client:
        assert refusal(client.get("/metrics"))[:2] == (404, "not_found")
        assert client.post("/predict?threshold=0.123454321", content=digits[0]).status_code == 200
    until(lambda: "/predict" in proxy.log.read_text())
    for log in (proxy.log.read_text(), running.log):
        assert "/predict" in log
        assert not [secret for secret in (KEY, "0.123454321", "PNG") if secret in log]


def test_a_replica_that_goes_costs_nobody_an_answer(model_dir, digits, tmp_path):
    """Of two replicas one drains and the other is killed and comes back: every picture is answered all the time.

    With none left the answer is 503 in the service's form.
    """
    with ExitStack() as stack:

        def replica(name: str, port: int = 0) -> Running:
            variables = {"LENET5_MODEL_DIR": str(model_dir), **VARIABLES}
            return stack.enter_context(service(tmp_path / name, *OPTIONS, port=port, **variables))

        first, second = replica("first"), replica("second")
        proxy = stack.enter_context(proxied(tmp_path, first, second))
        client = stack.enter_context(proxy.caller("127.0.0.8"))

        def ask(times: int = 10) -> None:
            assert [client.post("/predict", content=digits[0]).status_code for _ in range(times)] == [200] * times

        ask()
        assert '"/predict"' in first.log
        assert '"/predict"' in second.log
        assert first.stop() == 0
        ask()
        first = replica("first again", first.port)
        second.process.kill()
        second.process.wait()
        ask()
        first.process.kill()
        first.process.wait()
        gone = client.post("/predict", content=digits[0])
    assert refusal(gone) == (503, "unavailable", {})
    assert gone.headers["retry-after"] == "1"
