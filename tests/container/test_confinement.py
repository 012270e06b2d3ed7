"""The box is closed: what the running service of docker-compose.yml may and may not do, as its own kernel shows it."""

import json
import os
from pathlib import Path

import pytest
from compose import Compose
from engine import call, container, docker, running

from benchmarks.reliability.confinement import CONFINEMENT, limit, open_doors

pytestmark = pytest.mark.container


def test_the_box_is_closed(compose: Compose, image: str, digit: tuple[bytes, int], figures: list[str]) -> None:
    """As compose runs it the service is nobody, can do nothing to the kernel or its files, and is bounded."""
    compose.overlay(image=image)
    up = compose("up", "--wait", "--detach", "--no-build")
    assert up.returncode == 0, up.stderr
    served = container(compose("ps", "--quiet", "lenet5").stdout.strip())
    assert call(f"{served.url}/predict", digit[0]).json()["digit"] == digit[1]
    facts = served.python(CONFINEMENT)
    assert open_doors(facts) == set(), facts
    assert {"noexec", "nosuid", "nodev", "size=65536k"} <= set(facts["tmp"].split(","))
    host = json.loads(docker("inspect", "--format", "{{json .HostConfig}}", served.id))
    assert host["Memory"] == host["MemorySwap"] == limit(facts["memory"])
    assert host["LogConfig"]["Config"]["max-size"]
    assert host["Init"] is True
    assert not host["Privileged"]
    assert not host["Binds"]
    figures.append(
        "promise 16: uid {uid}, capabilities {capabilities}, no new privileges {no_new_privileges}, seccomp {seccomp}, "
        "writable {writable}, memory {memory}, processes {pids}, processors {cpu}, threads {threads}".format(**facts)
    )


def test_an_open_box_is_seen(image: str, figures: list[str]) -> None:
    """Negative control: the same look at a container that is run carelessly finds every door open."""
    careless = ("--user", "0", "--security-opt", "seccomp=unconfined")
    started = docker("run", "--detach", *careless, "--publish", "127.0.0.1::8000", image)
    try:
        served = container(started)
        served.await_ready()
        found = open_doors(served.python(CONFINEMENT))
    finally:
        docker("rm", "--force", started)
    expected = {"root", "capabilities", "new privileges", "system calls", "files", "memory", "processes", "processors"}
    assert found == expected
    figures.append(
        f"promise 16, negative control: a careless container is open in {len(found)} of {len(expected)} ways"
    )


def test_it_starts_and_answers_without_a_network(image: str, digit: tuple[bytes, int]) -> None:
    """With no network but its own loopback the service becomes ready and reads a picture: it fetches nothing."""
    ask = (
        "import json, sys, urllib.request as u\n"
        f"request = u.Request('http://127.0.0.1:8000/predict', bytes.fromhex('{digit[0].hex()}'), "
        "{'Content-Type': 'image/png'})\n"
        "print(u.urlopen(request, timeout=10).read().decode())"
    )
    started = docker("run", "--detach", "--network", "none", "--read-only", "--tmpfs", "/tmp:size=64m", image)
    try:
        docker("exec", started, "sh", "-c", "for i in $(seq 100); do lenet5 health && exit; sleep 0.2; done; exit 1")
        assert json.loads(docker("exec", started, "python", "-c", ask))["digit"] == digit[1]
    finally:
        docker("rm", "--force", started)


def test_keys_come_as_a_secret_file(compose: Compose, image: str, open_folder: Path) -> None:
    """With docker-compose.keys.yml every caller needs a key of the file, which no inspection of the container shows."""
    keys = open_folder / "api_keys"
    keys.write_text("bank=SECRETKEY0123456789\n")
    keys.chmod(0o400)
    os.chown(keys, 10001, 10001)
    compose.files.append("docker-compose.keys.yml")
    compose.variables["LENET5_KEYS"] = str(keys)
    compose.overlay(image=image)
    up = compose("up", "--wait", "--detach", "--no-build")  # healthy without a key
    assert up.returncode == 0, up.stderr
    served = container(compose("ps", "--quiet", "lenet5").stdout.strip())
    assert call(f"{served.url}/models").status == 401
    assert call(f"{served.url}/models", headers={"X-API-Key": "SECRETKEY0123456789"}).status == 200
    assert "SECRETKEY" not in docker("inspect", served.id)


def test_any_user_may_run_it(image: str) -> None:
    """It serves as whatever user a cluster chooses."""
    with running(image, "--user", "54321:54321") as served:
        served.await_ready()
        assert served.python(CONFINEMENT)["uid"] == 54321
